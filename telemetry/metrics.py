"""The counters for Prometheus, per stream and rendition, with bounded cardinality.

A counter outlives its broadcast, so that rates stay correct across a reconnect. At most ``MAX_STREAMS`` streams
have their own labels; all others share one.
"""

from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from packager.facts import SegmentEntry
from storage.interface import StorageError

# Without the additional `_created` series of each counter, which no query uses.
disable_created_metrics()  # type: ignore[no-untyped-call]

MAX_STREAMS = 1000
OTHERS = "_others"
RESOURCES = frozenset({"master", "manifest", "playlist", "init", "segment", "part"})


class Metrics:
    """Has its own registry, so that several servers in one process do not share counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._streams: set[str] = set()
        self._segments = self._counter("segments", "Segments completed", "stream", "track")
        self._segment_bytes = self._counter("segment_bytes", "Bytes of completed segments", "stream", "track")
        self._gaps = self._counter("segment_gaps", "Segments without media: viewers saw a gap", "stream", "track")
        self._lost = self._counter("segments_lost", "Segments the store did not take", "stream", "track", "code")
        self._refused = self._counter("publishers_refused", "Publishers refused or dropped", "code")
        self._dropped = self._counter("units_dropped", "Frames and messages left out", "stream", "reason")
        self._restarts = self._counter("transcoder_restarts", "Transcoder children that died", "stream")
        self._window_gaps = self._counter("window_gaps", "Live windows that missed a message", "stream")
        self._requests = self._counter("requests", "Requests under /live/", "resource", "status")
        self._served = self._counter("served_bytes", "Bytes served under /live/", "resource")

    def exposition(self) -> tuple[bytes, str]:
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def collect(self, collector: Collector) -> None:
        """Add the metrics that ``collector`` yields at each scrape."""
        self.registry.register(collector)

    def publisher_refused(self, code: str) -> None:
        self._refused.labels(code).inc()

    def window_gap(self, stream: str) -> None:
        """A live window missed a message, and viewers got its broadcast from the store meanwhile."""
        self._window_gaps.labels(self._label(stream)).inc()

    def served(self, resource: str, status: int, size: int) -> None:
        resource = resource if resource in RESOURCES else "unknown"
        self._requests.labels(resource, str(status)).inc()
        if status < 400:
            self._served.labels(resource).inc(size)

    def of_stream(self, stream: str) -> "StreamMetrics":
        return StreamMetrics(self, self._label(stream))

    def _label(self, stream: str) -> str:
        """The stream, or the label that all streams beyond the bound share."""
        if stream not in self._streams and len(self._streams) >= MAX_STREAMS:
            stream = OTHERS
        self._streams.add(stream)
        return stream

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"headwater_{name}", text, labels, registry=self.registry)


class StreamMetrics:
    """One stream's counters; a :class:`worker.recorder.RecorderObserver`."""

    def __init__(self, metrics: Metrics, stream: str) -> None:
        self._metrics = metrics
        self._stream = stream
        self._dropped_so_far: dict[str, int] = {}
        self._restarts_so_far = 0

    def segment_made(self, track: str, entry: SegmentEntry) -> None:
        if entry.gap:
            self._metrics._gaps.labels(self._stream, track).inc()
        else:
            self._metrics._segments.labels(self._stream, track).inc()
            self._metrics._segment_bytes.labels(self._stream, track).inc(entry.size)

    def segment_lost(self, track: str, error: StorageError | None) -> None:
        self._metrics._lost.labels(self._stream, track, error.code if error else "too-slow").inc()

    def transcoder_restarts(self, total: int) -> None:
        """``total`` since the start of the broadcast."""
        self._metrics._restarts.labels(self._stream).inc(total - self._restarts_so_far)
        self._restarts_so_far = total

    def units_dropped(self, totals: Mapping[str, int]) -> None:
        """``totals`` since the start of the broadcast, by reason."""
        for reason, total in totals.items():
            more = total - self._dropped_so_far.get(reason, 0)
            if more > 0:
                self._metrics._dropped.labels(self._stream, reason).inc(more)
        self._dropped_so_far = dict(totals)
