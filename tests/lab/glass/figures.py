"""Figures from what the page collected."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds from making a frame to showing it; ``page_p50`` is the latency that the page itself reports."""

    player: str
    frames: int
    unread: int
    p50: float
    p95: float
    longest: float
    page_p50: float
    slowest_rate: float
    fastest_rate: float
    stalls: int
    seeks: int
    errors: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def as_text(self) -> str:
        return (
            f"{self.player}: glass to glass p50 {self.p50:.0f} ms, p95 {self.p95:.0f} ms, "
            f"longest {self.longest:.0f} ms "
            f"({self.frames} frames, {self.unread} unreadable); the page reports {self.page_p50:.0f} ms; "
            f"rate {self.slowest_rate:.3f} to {self.fastest_rate:.3f}, {self.stalls} stalls, {self.seeks} seeks, "
            f"{self.errors} errors"
        )


def percentile(values: Sequence[float], share: float) -> float:
    """Of none, NaN."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def evaluate(player: str, collected: dict[str, Any], errors: int) -> Figures:
    """``collected`` is the page's ``window.glass``."""
    latencies = [latency for _, latency in collected["shown"]]
    page = [1000 * value for value in collected["page"] if value is not None]
    rates = collected["rates"] or [1.0]
    return Figures(
        player=player,
        frames=len(latencies),
        unread=collected["unread"],
        p50=percentile(latencies, 0.5),
        p95=percentile(latencies, 0.95),
        longest=max(latencies, default=float("nan")),
        page_p50=percentile(page, 0.5),
        slowest_rate=min(rates),
        fastest_rate=max(rates),
        stalls=collected["stalls"],
        seeks=collected["seeks"],
        errors=errors,
    )
