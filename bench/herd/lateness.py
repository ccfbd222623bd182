"""How late parts were, and the percentiles of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.herd.record import Record


@dataclass(frozen=True, slots=True)
class Distribution:
    """Milliseconds; percentiles by the nearest rank. All are zero where nothing was measured."""

    count: int
    p50: float
    p99: float
    p999: float
    max: float


def made_times(probe: Record, viewers: Record) -> dict[str, float]:
    """The first moment that anybody had a part, or the probe a playlist naming it, of the parts that the
    probe's playlists listed."""
    made: dict[str, float] = {}
    for path, listed in probe.listed.items():
        made[path] = min([listed, *probe.arrivals.get(path, ())[1::2], *viewers.arrivals.get(path, ())[1::2]])
    return made


def lateness(arrivals: Mapping[str, Sequence[float]], made: Mapping[str, float]) -> list[float]:
    """Seconds, of every arrival of a part that was made while its viewer was there."""
    late = []
    for path, moments in arrivals.items():
        moment_made = made.get(path)
        # No playlist names what a hint promised in vain.
        if moment_made is not None:
            pairs = zip(moments[::2], moments[1::2], strict=True)
            late += [last_byte - moment_made for since, last_byte in pairs if since <= moment_made]
    return late


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
