"""Fits a straight line to measured points, and tests whether it is flat."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression, mean

# On a shared machine, a smaller share of the level is indistinguishable from noise.
FLAT = 0.03


@dataclass(frozen=True, slots=True)
class Line:
    """``level`` is the mean of the points, ``slope`` the increase per unit of x, and ``span`` the distance in x
    from the first point to the last."""

    level: float
    slope: float
    span: float

    @property
    def growth(self) -> float:
        """From the first point to the last, as a share of the level."""
        return self.slope * self.span / self.level if self.level else 0.0

    @property
    def flat(self) -> bool:
        return self.growth <= FLAT


def fit(x: Sequence[float], y: Sequence[float]) -> Line:
    """The least-squares line; flat if there are fewer than two points."""
    if len(x) < 2:
        return Line(y[0] if y else 0.0, 0.0, 0.0)
    return Line(mean(y), linear_regression(x, y).slope, max(x) - min(x))
