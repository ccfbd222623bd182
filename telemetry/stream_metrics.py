"""The counters of each stream."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter

from packager.facts import SegmentEntry
from storage.interface import StorageError


class StreamCounters:
    """The counters that all streams share, by label."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"headwater_{name}", text, ("stream", *labels), registry=registry)

        self.segments = counter("segments", "Segments completed", "track")
        self.segment_bytes = counter("segment_bytes", "Bytes of completed segments", "track")
        self.gaps = counter("segment_gaps", "Segments without media: viewers saw a gap", "track")
        self.lost = counter("segments_lost", "Segments the store did not take", "track", "code")
        self.dropped = counter("units_dropped", "Frames and messages left out", "reason")
        self.restarts = counter("transcoder_restarts", "Transcoder children that died")
        self.publisher_losses = counter("publisher_losses", "Publishers lost during a broadcast", "reason")
        self.discontinuities = counter("discontinuities", "Discontinuities of the media", "cause")
        self.no_media = counter("no_media_seconds", "Time on air in which no media arrived", "reason")
        self.switches = counter("publisher_switches", "Publishers on standby that went on air", "cause")
        self.cut_short = counter(
            "transcoder_lost_seconds", "Ends of renditions that were not encoded in time", "track"
        )


class StreamMetrics:
    """One stream's counters; a :class:`worker.recorder.RecorderObserver`. ``stream`` is its label."""

    def __init__(self, counters: StreamCounters, stream: str) -> None:
        self._counters = counters
        self._stream = stream
        self._dropped_so_far: Mapping[str, float] = {}
        self._restarts_so_far = 0
        self._discontinuities_so_far: Mapping[str, float] = {}
        self._no_media_so_far: Mapping[str, float] = {}

    def segment_made(self, track: str, entry: SegmentEntry) -> None:
        if entry.gap:
            self._counters.gaps.labels(self._stream, track).inc()
        else:
            self._counters.segments.labels(self._stream, track).inc()
            self._counters.segment_bytes.labels(self._stream, track).inc(entry.size)

    def segment_lost(self, track: str, error: StorageError | None) -> None:
        self._counters.lost.labels(self._stream, track, error.code if error else "too-slow").inc()

    def transcoder_restarts(self, total: int) -> None:
        """``total`` since the start of the broadcast."""
        self._counters.restarts.labels(self._stream).inc(total - self._restarts_so_far)
        self._restarts_so_far = total

    def publisher_switched(self, cause: str) -> None:
        self._counters.switches.labels(self._stream, cause).inc()

    def transcoder_lost(self, seconds: Mapping[str, float]) -> None:
        """``seconds`` that each track lacks at the end of a broadcast."""
        for track, missing in seconds.items():
            self._counters.cut_short.labels(self._stream, track).inc(missing)

    def units_dropped(self, totals: Mapping[str, int]) -> None:
        """``totals`` since the start of the broadcast, by reason."""
        self._dropped_so_far = self._count(self._counters.dropped, totals, self._dropped_so_far)

    def publisher_lost(self, reason: str) -> None:
        self._counters.publisher_losses.labels(self._stream, reason).inc()

    def discontinuities(self, totals: Mapping[str, int]) -> None:
        """``totals`` since the start of the broadcast, by cause."""
        counter, so_far = self._counters.discontinuities, self._discontinuities_so_far
        self._discontinuities_so_far = self._count(counter, totals, so_far)

    def no_media(self, totals: Mapping[str, float]) -> None:
        """``totals`` of seconds since the start of the broadcast, by reason."""
        self._no_media_so_far = self._count(self._counters.no_media, totals, self._no_media_so_far)

    def _count(
        self, counter: Counter, totals: Mapping[str, float], so_far: Mapping[str, float]
    ) -> Mapping[str, float]:
        """Count what ``totals`` have, by label, more than ``so_far``; returns what is counted now."""
        for label, total in totals.items():
            more = total - so_far.get(label, 0)
            if more > 0:
                counter.labels(self._stream, label).inc(more)
        return dict(totals)
