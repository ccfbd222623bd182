"""The time base of video in PyAV: seconds per tick."""

from fractions import Fraction

from media.units import VIDEO_TIMESCALE

VIDEO_TIME_BASE = Fraction(1, VIDEO_TIMESCALE)
