"""The criteria that a player has to meet."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.lab.players.findings import Findings, Part

SLOWEST, FASTEST = 0.97, 1.03
# The media element keeps its rate as a double.
ROUNDING = 1e-6
GLASS_S = {"hls": 1.5, "dash": 1.5}
REPORTING = 0.95


@dataclass(frozen=True, slots=True)
class Criterion:
    name: str
    held: bool
    words: str


def judge(found: Findings, segment_s: float) -> tuple[Criterion, ...]:
    """Apply the criteria. ``segment_s`` is the duration of a segment; at most one may be lost."""
    return tuple(_criteria(found, segment_s))


def _criteria(found: Findings, segment_s: float) -> Iterator[Criterion]:
    stalls = ", ".join(f"{_length(stall.length)} at {stall.at:.0f} s" for stall in found.stalls)
    yield Criterion("no stall after the start", not found.stalls, stalls or "none")
    lost = sum(length for _, length in found.jumps)
    jumps = ", ".join(f"{length:.2f} s at {at:.0f} s" for at, length in found.jumps)
    yield Criterion("at most one segment lost", lost <= segment_s, jumps or "none")
    for before, after in zip(found.parts, found.parts[1:], strict=False):
        yield _switch(before, after)
    within = found.slowest_rate >= SLOWEST - ROUNDING and found.fastest_rate <= FASTEST + ROUNDING
    rates = f"{found.slowest_rate:.3f} to {found.fastest_rate:.3f}"
    yield Criterion("plays at 0.97 to 1.03", within, rates)
    reported = f"{found.reporting:.0%} of the time, p50 {found.latency.p50:.2f} s, p95 {found.latency.p95:.2f} s"
    yield Criterion("reports its latency", found.reporting >= REPORTING, reported)
    if limit := GLASS_S.get(found.player):
        for part in found.parts:
            if part.kbps is None:
                words = f"p50 {part.glass.p50:.2f} s, p95 {part.glass.p95:.2f} s from {part.start:.0f} s on"
                yield Criterion(f"glass to glass p50 at most {limit} s", part.glass.p50 <= limit, words)
    yield Criterion("the page logs no error", not found.complaints, "; ".join(found.complaints) or "none")


def _switch(before: Part, after: Part) -> Criterion:
    """When the bandwidth changes, the rendition has to change in the same direction."""
    down = after.kbps is not None
    held = after.heights[-1] < before.heights[-1] if down else after.heights[-1] > before.heights[-1]
    words = " ".join(f"{height}p" for height in after.heights)
    return Criterion(f"switches {'down' if down else 'up'} with the network", held, words)


def _length(seconds: float | None) -> str:
    return "for good" if seconds is None else f"{seconds:.2f} s"
