"""What the viewer saw, computed from a run's record."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from tests.lab.players.recorder import Sample, Stall
from tests.lab.players.run import Run

# The start of an unthrottled phase, while the player approaches its target.
SETTLE_S = 20.0
# Playback cannot advance by more within a tick; if it does, media time was skipped.
JUMP_S = 0.15
FASTEST = 1.03


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds; NaN if nothing was measured."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Part:
    """One phase of the run: the latency that the player reports, and that of the burnt-in clock."""

    kbps: int | None
    start: float
    end: float
    latency: Spread
    glass: Spread
    heights: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """Times are seconds since the page was opened.

    ``rungs`` are the heights shown, each with the time of its first picture; ``jumps`` are the times at which media
    time was skipped, and how much. ``reporting`` is the share of the time in which the player reported a latency.
    ``timeline`` has one sample per second.
    """

    player: str
    started: float
    first_latency: float | None
    target: float | None
    rungs: tuple[tuple[float, int], ...]
    stalls: tuple[Stall, ...]
    jumps: tuple[tuple[float, float], ...]
    slowest_rate: float
    fastest_rate: float
    reporting: float
    latency: Spread
    parts: tuple[Part, ...]
    timeline: tuple[Sample, ...]
    complaints: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def find(run: Run) -> Findings:
    begun = run.record.started
    samples = [sample for sample in run.record.samples if sample.height and sample.at >= begun]
    reporting = [sample for sample in samples if sample.latency is not None]
    return Findings(
        player=run.player,
        started=begun,
        first_latency=next((sample.glass for sample in samples if sample.glass is not None), None),
        target=samples[-1].target,
        rungs=tuple(rungs(samples)),
        stalls=run.record.stalls,
        jumps=tuple(jumps(samples)),
        slowest_rate=min(sample.rate for sample in samples),
        fastest_rate=max(sample.rate for sample in samples),
        reporting=len(reporting) / len(samples),
        latency=spread(sample.latency for sample in reporting),
        parts=tuple(
            part(span.kbps, span.start, [s for s in samples if span.start <= s.at < span.end]) for span in run.spans
        ),
        timeline=tuple(after for before, after in pairwise(run.record.samples) if int(before.at) != int(after.at)),
        complaints=run.record.complaints,
    )


def part(kbps: int | None, start: float, samples: Sequence[Sample]) -> Part:
    steady = [sample for sample in samples if kbps is not None or sample.at - start >= SETTLE_S]
    return Part(
        kbps=kbps,
        start=start,
        end=samples[-1].at,
        latency=spread(sample.latency for sample in steady),
        glass=spread(sample.glass for sample in steady),
        heights=tuple(height for _, height in rungs(samples)),
    )


def rungs(samples: Sequence[Sample]) -> Iterable[tuple[float, int]]:
    shown = 0
    for sample in samples:
        if sample.height != shown:
            shown = sample.height
            yield sample.at, shown


def jumps(samples: Sequence[Sample]) -> Iterable[tuple[float, float]]:
    for before, after in pairwise(samples):
        left_out = after.position - before.position - FASTEST * (after.at - before.at)
        if left_out > JUMP_S:
            yield after.at, left_out


def percentile(values: Sequence[float], share: float) -> float:
    """NaN if there are no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def spread(values: Iterable[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    return Spread(percentile(known, 0.5), percentile(known, 0.95))
