"""Predicts how long the newest frame of a track lasts, before the next frame shows it.

A part can be written with its last frame only if that frame's duration is known. A declared frame rate is a hint:
it is used once the timestamps agree with it, and no longer than they do.

A hole in the timestamps ends the timeline of every track (:meth:`FrameInterval.follows_hole`): the next keyframe
starts a discontinuity.
"""

from media.units import VIDEO_TIMESCALE

# Intervals that differ by less are equal: timestamps of 1 ms precision put 1/30 s at 33 or 34 ms.
TOLERANCE = VIDEO_TIMESCALE * 3 // 2000
# The consecutive equal intervals after which a source is steady, about a second: a source that leaves out every
# sixth frame of its grid never is.
STEADY = 30
# A longer interval is a hole, unless the intervals of the source are always long.
LONGEST_STALL = VIDEO_TIMESCALE
MISSING_FRAMES = 4
DEFAULT_FRAME = VIDEO_TIMESCALE // 30


class FrameInterval:
    """The interval between the frames of one track in 90 kHz ticks. ``declared`` is the hint, or None."""

    __slots__ = ("_equal", "_last", "latest")

    def __init__(self, declared: int | None = None) -> None:
        self.latest = declared or DEFAULT_FRAME
        # One interval that agrees with the declared one confirms it.
        self._equal = STEADY - 1 if declared else 0
        self._last: int | None = None

    @property
    def end(self) -> int:
        """The end of the newest frame, if it lasts as long as the one before it."""
        return (self._last or 0) + self.latest

    @property
    def expected(self) -> int | None:
        """The interval to the next frame; None if the intervals before it do not agree."""
        return self.latest if self._equal >= STEADY else None

    def follows_hole(self, dts: int) -> bool:
        """Whether frames are missing between the newest frame and the next one, at ``dts``."""
        if self._last is None:
            return False
        step = dts - self._last
        return step > LONGEST_STALL and step > MISSING_FRAMES * self.latest

    def add(self, dts: int) -> None:
        """Take the decoding time of the next frame."""
        last, self._last = self._last, dts
        if last is None:
            return
        interval = dts - last
        if -TOLERANCE <= interval - self.latest <= TOLERANCE:
            self._equal += 1
            self.latest = max(1, (7 * self.latest + interval) // 8)
        else:
            self._equal = 0
            self.latest = max(1, interval)
