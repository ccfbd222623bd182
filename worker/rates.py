"""Frame rates as exact fractions, from declarations and from timestamps, and the duration of parts."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median

from media.units import VIDEO_TIMESCALE


def exact_rate(rate: float) -> Fraction:
    """The frame rate that a rounded number stands for: 29.97 is 30000/1001."""
    integer, ntsc = Fraction(round(rate)), Fraction(round(rate * 1.001) * 1000, 1001)
    exact = min(integer, ntsc, key=lambda candidate: abs(candidate - Fraction(rate)))
    return exact if abs(float(exact) - rate) < 0.005 else Fraction(rate).limit_denominator(1001)


# A declared rate is right if the measured one differs by less than this part of it.
SLOPPINESS = Fraction(1, 8)
FASTEST = 240


def confirmed_rate(declared: Fraction | None, times: Sequence[int]) -> Fraction | None:
    """The frame rate of a source that declares ``declared`` and has sent frames with the decoding ``times`` (90 kHz
    ticks): the declared rate if their usual interval agrees with it, otherwise the measured one."""
    intervals = [after - before for before, after in pairwise(times)]
    usual = median(intervals) if intervals else 0
    if usual * FASTEST < VIDEO_TIMESCALE:
        return declared
    alike = [interval for interval in intervals if abs(interval - usual) <= usual * SLOPPINESS]
    rate = (
        Fraction(VIDEO_TIMESCALE * len(alike), sum(alike)) if alike else Fraction(VIDEO_TIMESCALE) / Fraction(usual)
    )
    if declared is not None and abs(rate - declared) <= declared * SLOPPINESS:
        return declared
    return Fraction(round(rate)) if rate > 10 else rate.limit_denominator(100)


def nearest_rate(rate: Fraction, declared: Fraction | None) -> Fraction:
    """The frame rate to announce if ``rate`` was measured: the declared one, an integer or an NTSC rate if one is
    within the precision of timestamps in milliseconds, otherwise ``rate`` with two decimals."""
    if declared is not None and abs(declared - rate) * 1500 <= rate:
        return declared
    integer, ntsc = Fraction(round(rate)), Fraction(round(rate * 1001 / 1000) * 1000, 1001)
    candidates = [candidate for candidate in (integer, ntsc) if candidate]
    nearest = min(candidates, key=lambda candidate: abs(candidate - rate), default=rate)
    return nearest if abs(nearest - rate) * 500 <= rate else Fraction(round(rate * 100), 100)


def part_ticks(target: int, frame_rate: Fraction | None) -> int:
    """The duration of as many frames as fit into ``target``, both in 90 kHz ticks. ``target`` may be an eighth of a
    frame too short: a part of 333 ms holds ten frames of 1/30 s."""
    if frame_rate is None:
        return target
    frames = max(1, int((target * frame_rate / VIDEO_TIMESCALE) + Fraction(1, 8)))
    return int(-(-frames * VIDEO_TIMESCALE // frame_rate))
