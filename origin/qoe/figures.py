"""Figures of playback: sums, distributions and quantiles."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from origin.qoe.session import Gain

# Seconds.
START_BOUNDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
LATENCY_BOUNDS = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)


@dataclass(slots=True)
class Sums:
    """What sessions have reported, added up. Times are seconds."""

    starts: int = 0
    stalls: int = 0
    stalled_s: float = 0.0
    played_s: float = 0.0
    errors: int = 0

    def add(self, gain: Gain) -> None:
        self.starts += gain.start_s is not None
        self.stalls += gain.stalls
        self.stalled_s += gain.stalled_s
        self.played_s += gain.played_s
        self.errors += gain.errors

    def merge(self, other: "Sums") -> None:
        self.starts += other.starts
        self.stalls += other.stalls
        self.stalled_s += other.stalled_s
        self.played_s += other.played_s
        self.errors += other.errors


@dataclass(slots=True)
class Distribution:
    """A histogram with the upper ``bounds`` of its buckets; the last bucket has none."""

    bounds: Sequence[float]
    counts: list[int] = field(init=False)
    sum: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def cumulative(self) -> list[tuple[str, float]]:
        """As Prometheus has buckets: each with the values below its bound."""
        names = [*(str(bound) for bound in self.bounds), "+Inf"]
        return [(name, float(sum(self.counts[: index + 1]))) for index, name in enumerate(names)]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median and the 95th percentile of ``count`` values."""

    count: int
    median: float
    p95: float


def spread(values: Sequence[float]) -> Spread | None:
    """None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return Spread(len(ordered), _quantile(ordered, 0.5), _quantile(ordered, 0.95))


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(frozen=True, slots=True)
class Figures:
    """The last minutes of a stream or of one of its renditions. ``sessions`` play now. ``bitrate_bps`` is the mean
    of their bitrates, None if none reports it. ``sums`` are those of the window."""

    sessions: int
    start: Spread | None
    latency: Spread | None
    bitrate_bps: int | None
    sums: Sums

    @property
    def stalled_ratio(self) -> float | None:
        """The share of the time in which playback stood still; None without any."""
        whole = self.sums.played_s + self.sums.stalled_s
        return self.sums.stalled_s / whole if whole > 0 else None
