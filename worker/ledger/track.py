"""What a broadcast has made so far, track by track: the entries of its playlists and its measured bit rates."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from media.configs import TrackConfig
from media.timescale import MICROSECONDS
from media.units import Kind
from packager.cmaf.segment_writer import Init
from packager.facts import SegmentEntry, TrackFacts
from worker.ledger.entry_log import EntryLog
from worker.ledger.peak import PeakBitRate


@dataclass(slots=True)
class TrackIndex:
    """One track's segments in order. An entry is *resolved* once it is durable or known to be lost, and
    ``resolved`` counts how many from the front are: a stored playlist names no others."""

    track: str
    kind: Kind
    default: bool
    label: str
    target_ms: int
    config: TrackConfig | None = None
    configs: dict[int, TrackConfig] = field(default_factory=dict)
    frame_rate: Fraction | None = None
    entries: EntryLog = field(default_factory=EntryLog)
    resolved: int = 0
    total_bytes: int = 0
    total_ticks: int = 0
    _peak: PeakBitRate | None = None
    _resolved_ahead: set[int] = field(default_factory=set)

    def configure(self, init: Init) -> None:
        """Segments that name ``init`` may follow."""
        self.config = self.configs[init.number] = init.config
        self.frame_rate = init.frame_rate
        self._peak = self._peak or PeakBitRate(self.target_ms, init.config.timescale)

    def add(self, entry: SegmentEntry) -> None:
        self.entries.append(entry)
        if entry.gap:
            self.mark_resolved(entry.msn)
        elif entry.duration > 0 and self._peak is not None:
            self.total_bytes += entry.size
            self.total_ticks += entry.duration
            self._peak.add(entry.size, entry.duration)

    def mark_resolved(self, msn: int) -> None:
        self._resolved_ahead.add(msn)
        while self.resolved < len(self.entries) and self.entries[self.resolved].msn in self._resolved_ahead:
            self._resolved_ahead.discard(self.entries[self.resolved].msn)
            self.resolved += 1

    def lose(self, msn: int) -> None:
        """The segment will never be durable: stored playlists say it is a gap."""
        for position in range(self.resolved, len(self.entries)):
            if self.entries[position].msn == msn:
                self.entries[position] = replace(self.entries[position], gap=True, size=0)
        self.mark_resolved(msn)

    def recent(self, window_ms: int) -> Sequence[SegmentEntry]:
        """The resolved entries of the last ``window_ms``."""
        since, reach = self._since_us(window_ms), 1
        # From the end, near which the entries are not packed.
        while reach < self.resolved and self._begins_us(self.entries[self.resolved - reach]) > since:
            reach *= 2
        low = max(0, self.resolved - reach)
        begun = bisect_right(self.entries, since, low, self.resolved, key=self._begins_us)
        return self.entries[max(0, begun - 1) : self.resolved]

    def forget(self, keep_ms: int) -> list[SegmentEntry]:
        """Take resolved entries older than ``keep_ms`` out of the index."""
        since, old = self._since_us(keep_ms), 0
        # From the front: it is asked for with every segment, and there is hardly ever more than one to go.
        while old + 1 < self.resolved and self._begins_us(self.entries[old + 1]) <= since:
            old += 1
        self.resolved -= old
        return self.entries.drop(old)

    @property
    def peak_bps(self) -> int:
        """Of what there was to measure; a broadcast shorter than half a segment has its average only."""
        return max(self._peak.bps if self._peak else 0, self.average_bps())

    def average_bps(self) -> int:
        if self.config is None or not self.total_ticks:
            return 0
        return self.total_bytes * 8 * self.config.timescale // self.total_ticks

    def duration_s(self) -> float:
        if self.config is None or not self.entries:
            return 0.0
        last = self.entries[-1]
        return (last.start + last.duration - self.entries[0].start) / self.config.timescale

    def facts(self) -> TrackFacts | None:
        """None until the track has its first init segment."""
        if self.config is None:
            return None
        return TrackFacts(
            track=self.track,
            config=self.config,
            kind=self.kind,
            frame_rate=self.frame_rate,
            peak_bps=self.peak_bps,
            average_bps=self.average_bps(),
            default=self.default,
            name=self.label,
            configs=dict(self.configs),
        )

    def _since_us(self, window_ms: int) -> int:
        """Where a window begins that ends with the newest resolved entry."""
        if not self.resolved:
            return 0
        newest = self.entries[self.resolved - 1]
        return self._time_us(newest, newest.start + newest.duration) - window_ms * 1000

    def _begins_us(self, entry: SegmentEntry) -> int:
        return self._time_us(entry, entry.start)

    def _time_us(self, entry: SegmentEntry, ticks: int) -> int:
        """Of the broadcast, by the entry's own timescale: a later init may have changed it."""
        assert self.config is not None
        return ticks * MICROSECONDS // self.configs.get(entry.init, self.config).timescale
