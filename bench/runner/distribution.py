"""Percentiles of times."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Distribution:
    """Milliseconds; percentiles by the nearest rank. All are zero if nothing was measured."""

    count: int
    p50: float
    p99: float
    p999: float
    max: float


def distribution(seconds: Sequence[float]) -> Distribution:
    ordered = sorted(seconds)
    if not ordered:
        return Distribution(0, 0.0, 0.0, 0.0, 0.0)
    p50, p99, p999 = (_rank(ordered, thousandths) for thousandths in (500, 990, 999))
    return Distribution(len(ordered), p50, p99, p999, _ms(ordered[-1]))


def _rank(ordered: Sequence[float], thousandths: int) -> float:
    return _ms(ordered[max(1, math.ceil(len(ordered) * thousandths / 1000)) - 1])


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
