"""Frame rates as encoders mean them, and how many frames a part lasts."""

from fractions import Fraction

from media.units import VIDEO_TIMESCALE


def named_rate(rate: float) -> Fraction:
    """The frame rate that a rounded number means: 29.97 is 30000/1001."""
    whole, ntsc = Fraction(round(rate)), Fraction(round(rate * 1.001) * 1000, 1001)
    named = min(whole, ntsc, key=lambda candidate: abs(candidate - Fraction(rate)))
    return named if abs(float(named) - rate) < 0.005 else Fraction(rate).limit_denominator(1001)


def part_ticks(target: int, frame_rate: Fraction | None) -> int:
    """The duration of as many whole frames as fit into ``target`` (90 kHz), but for an eighth of a frame: a part of
    333 ms is ten frames of 1/30 s."""
    if frame_rate is None:
        return target
    frames = max(1, int((target * frame_rate / VIDEO_TIMESCALE) + Fraction(1, 8)))
    return int(-(-frames * VIDEO_TIMESCALE // frame_rate))
