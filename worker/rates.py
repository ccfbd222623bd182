"""The exact frame rate behind a rounded one, and the duration of parts."""

from fractions import Fraction

from media.units import VIDEO_TIMESCALE


def exact_rate(rate: float) -> Fraction:
    """The frame rate that a rounded number stands for: 29.97 is 30000/1001."""
    integer, ntsc = Fraction(round(rate)), Fraction(round(rate * 1.001) * 1000, 1001)
    exact = min(integer, ntsc, key=lambda candidate: abs(candidate - Fraction(rate)))
    return exact if abs(float(exact) - rate) < 0.005 else Fraction(rate).limit_denominator(1001)


def part_ticks(target: int, frame_rate: Fraction | None) -> int:
    """The duration of as many frames as fit into ``target``, both in 90 kHz ticks. ``target`` may be an eighth of a
    frame too short: a part of 333 ms holds ten frames of 1/30 s."""
    if frame_rate is None:
        return target
    frames = max(1, int((target * frame_rate / VIDEO_TIMESCALE) + Fraction(1, 8)))
    return int(-(-frames * VIDEO_TIMESCALE // frame_rate))
