"""One track of a broadcast: its init segments, the entries of its playlists and its measured bit rates."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from media.configs import TrackConfig
from media.timescale import MICROSECONDS, rescale
from media.units import VIDEO_TIMESCALE, Kind
from packager.cmaf.cut import Cut
from packager.cmaf.entries import assign_run_at_cut, gap_entry
from packager.cmaf.segment_writer import Init, WriterResumePoint
from packager.facts import SegmentEntry, TrackFacts
from worker.ledger.entry_log import EntryLog
from worker.ledger.peak import PeakBitRate
from worker.rates import nearest_rate

# Seconds over which the frame rate is averaged.
RATE_WINDOW_S = 60
# The measured frame rate is replaced if it differs by more than one part in this many.
STICKINESS = 50


@dataclass(slots=True)
class TrackLedger:
    """One track's segments in order. An entry is *resolved* once its segment is durable or known to be lost.
    ``resolved`` counts the resolved entries at the front; stored playlists name no others. ``fragments`` counts
    the parts that were written. ``measured_rate`` is the frame rate of the segments so far, None before the first;
    it is averaged over ``frames`` in ``frame_ticks``. ``retired``: the current source has no such rendition.
    ``ended``: no more media of this track follows."""

    track: str
    kind: Kind
    default: bool
    label: str
    target_ms: int
    inits: dict[int, Init] = field(default_factory=dict)
    entries: EntryLog = field(default_factory=EntryLog)
    resolved: int = 0
    resolved_ahead: set[int] = field(default_factory=set)
    total_bytes: int = 0
    total_ticks: int = 0
    fragments: int = 0
    retired: bool = False
    ended: bool = False
    peak: PeakBitRate | None = None
    measured_rate: Fraction | None = None
    frames: int = 0
    frame_ticks: int = 0

    @property
    def init(self) -> Init | None:
        """The newest init segment."""
        return next(reversed(self.inits.values()), None)

    @property
    def config(self) -> TrackConfig | None:
        init = self.init
        return init.config if init is not None else None

    @property
    def frame_rate(self) -> Fraction | None:
        """The measured frame rate; before the first segment, the one that was expected."""
        init = self.init
        return self.measured_rate or (init.frame_rate if init is not None else None)

    def configure(self, init: Init) -> None:
        """Add an init segment that later segments name."""
        self.inits[init.number] = init
        self.measured_rate, self.frames, self.frame_ticks = None, 0, 0
        self.peak = self.peak or PeakBitRate(self.target_ms, init.config.timescale)

    def add(self, entry: SegmentEntry, samples: int = 0) -> None:
        """Add a segment of ``samples`` samples."""
        self.entries.append(entry)
        if samples and entry.duration > 0 and self.kind is Kind.VIDEO:
            self._measure_rate(entry, samples)
        if entry.gap:
            self.mark_resolved(entry.msn)
        elif entry.duration > 0 and self.peak is not None:
            self.total_bytes += entry.size
            self.total_ticks += entry.duration
            self.peak.add(entry.size, entry.duration)

    def add_gaps(self, cuts: Iterable[tuple[Cut, int]], zero_ms: int) -> list[SegmentEntry]:
        """Add a gap for each cut that has no entry yet; returns the gaps. ``cuts`` pairs each cut with its end (90
        kHz ticks). A track without an init segment is in no playlist and gets no gaps."""
        init, gaps = self.init, []
        if init is None:
            return []
        for cut, end in cuts:
            last = self.entries[-1] if self.entries else None
            if last is not None and cut.msn <= last.msn:
                continue
            gap = gap_entry(cut, end, timescale=init.config.timescale, init=init.number, zero_ms=zero_ms)
            gaps.append(assign_run_at_cut(gap, last, cut, timescale=init.config.timescale))
            self.add(gaps[-1])
        return gaps

    def mark_resolved(self, msn: int) -> None:
        self.resolved_ahead.add(msn)
        while self.resolved < len(self.entries) and self.entries[self.resolved].msn in self.resolved_ahead:
            self.resolved_ahead.discard(self.entries[self.resolved].msn)
            self.resolved += 1

    def lose(self, msn: int) -> None:
        """Make the segment a gap in stored playlists: it will never be durable."""
        for position in range(self.resolved, len(self.entries)):
            if self.entries[position].msn == msn:
                self.entries[position] = replace(self.entries[position], gap=True, size=0)
        self.mark_resolved(msn)

    def durable(self) -> list[int]:
        """The numbers of the segments that are in the store."""
        resolved = self.entries[: self.resolved]
        ahead = [entry for entry in self.entries[self.resolved :] if entry.msn in self.resolved_ahead]
        return [entry.msn for entry in (*resolved, *ahead) if not entry.gap]

    def forfeit(self, msns: Collection[int]) -> None:
        """Make durable segments gaps: the store has lost them."""
        for position, entry in enumerate(self.entries):
            if entry.msn in msns:
                self.entries[position] = replace(entry, gap=True, size=0)

    def unresolved(self) -> list[SegmentEntry]:
        return [entry for entry in self.entries[self.resolved :] if entry.msn not in self.resolved_ahead]

    def recent(self, window_ms: int) -> Sequence[SegmentEntry]:
        """The resolved entries of the last ``window_ms``."""
        since, reach = self._since_us(window_ms), 1
        # From the end, because entries near the end are not packed.
        while reach < self.resolved and self._begins_us(self.entries[self.resolved - reach]) > since:
            reach *= 2
        low = max(0, self.resolved - reach)
        begun = bisect_right(self.entries, since, low, self.resolved, key=self._begins_us)
        return self.entries[max(0, begun - 1) : self.resolved]

    def newest(self, window_ms: int) -> list[SegmentEntry]:
        """The entries of the last ``window_ms``, resolved or not, as live playlists list them."""
        if not self.entries:
            return []
        last, reach = self.entries[-1], 1
        since = self._time_us(last, last.start + last.duration) - window_ms * 1000
        while reach < len(self.entries) and self._begins_us(self.entries[-reach]) > since:
            reach += 1
        return self.entries[-reach:]

    def forget(self, keep_ms: int) -> list[SegmentEntry]:
        """Remove and return the resolved entries older than ``keep_ms``."""
        since, old = self._since_us(keep_ms), 0
        # From the front: this runs for every segment, and rarely more than one entry is old.
        while old + 1 < self.resolved and self._begins_us(self.entries[old + 1]) <= since:
            old += 1
        self.resolved -= old
        return self.entries.drop(old)

    @property
    def peak_bps(self) -> int:
        """The measured peak bit rate, or the average while the track is shorter than half a segment."""
        return max(self.peak.bps if self.peak else 0, self.average_bps())

    def average_bps(self) -> int:
        if self.config is None or not self.total_ticks:
            return 0
        return self.total_bytes * 8 * self.config.timescale // self.total_ticks

    def duration_s(self) -> float:
        if self.config is None or not self.entries:
            return 0.0
        last = self.entries[-1]
        return (last.start + last.duration - self.entries[0].start) / self.config.timescale

    def media_end(self) -> int:
        """The end of the newest segment with media, in 90 kHz ticks of broadcast time."""
        media = next((entry for entry in reversed(self.entries) if not entry.gap), None)
        if media is None:
            return 0
        end = media.start + media.duration
        return rescale(end, self.inits[media.init].config.timescale, VIDEO_TIMESCALE)

    def facts(self) -> TrackFacts | None:
        """None before the first init segment."""
        init = self.init
        if init is None:
            return None
        return TrackFacts(
            track=self.track,
            config=init.config,
            kind=self.kind,
            frame_rate=self.frame_rate,
            peak_bps=self.peak_bps,
            average_bps=self.average_bps(),
            default=self.default,
            name=self.label,
            retired=self.retired,
            ended=self.ended,
            configs={number: each.config for number, each in self.inits.items()},
        )

    def resume_point(self) -> WriterResumePoint | None:
        """The state from which the track's writer continues; None before the first init segment."""
        init = self.init
        if init is None:
            return None
        return WriterResumePoint(init, self.entries[-1] if self.entries else None, self.fragments)

    def _measure_rate(self, entry: SegmentEntry, frames: int) -> None:
        """Count the frames of a segment; the measured rate changes only if it is clearly another."""
        init = self.inits[entry.init]
        if self.frame_ticks > RATE_WINDOW_S * init.config.timescale:
            self.frames, self.frame_ticks = self.frames // 2, self.frame_ticks // 2
        self.frames += frames
        self.frame_ticks += entry.duration
        rate = Fraction(self.frames * init.config.timescale, self.frame_ticks)
        known = self.measured_rate
        if known is None or abs(rate - known) * STICKINESS > known:
            self.measured_rate = nearest_rate(rate, init.frame_rate)

    def _since_us(self, window_ms: int) -> int:
        """The start, in microseconds of broadcast time, of a window that ends with the newest resolved entry."""
        if not self.resolved:
            return 0
        newest = self.entries[self.resolved - 1]
        return self._time_us(newest, newest.start + newest.duration) - window_ms * 1000

    def _begins_us(self, entry: SegmentEntry) -> int:
        return self._time_us(entry, entry.start)

    def _time_us(self, entry: SegmentEntry, ticks: int) -> int:
        """Microseconds of broadcast time, by the entry's own timescale: later init segments may change it."""
        return ticks * MICROSECONDS // self.inits[entry.init].config.timescale
