"""A straight line through measured points, and whether it is flat."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression, mean

# A smaller share of the level cannot be told from noise on a shared machine.
FLAT = 0.03


@dataclass(frozen=True, slots=True)
class Line:
    """``level`` is the mean of the points, ``slope`` the increase for each unit of x, and ``span`` how many of
    them there are from the first point to the last."""

    level: float
    slope: float
    span: float

    @property
    def growth(self) -> float:
        """Of the level, from the first point to the last."""
        return self.slope * self.span / self.level if self.level else 0.0

    @property
    def flat(self) -> bool:
        return self.growth <= FLAT


def fit(x: Sequence[float], y: Sequence[float]) -> Line:
    """By least squares; a flat line if there are fewer than two points."""
    if len(x) < 2:
        return Line(y[0] if y else 0.0, 0.0, 0.0)
    return Line(mean(y), linear_regression(x, y).slope, max(x) - min(x))
