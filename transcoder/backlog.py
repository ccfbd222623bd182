"""The source's video that a child has not taken yet, as media time.

It counts units, so it does not matter where they wait: in the parent's queue, in the pipe, or inside the child.
Steps between timestamps are bounded, so a hole in the source's video is not work that waits.
"""

from collections import deque

from media.units import VIDEO_TIMESCALE

# 90 kHz ticks.
LONGEST_STEP = VIDEO_TIMESCALE // 2


class Backlog:
    """Times are 90 kHz ticks of decoding time."""

    def __init__(self) -> None:
        # The source's media time at each unit that waits, oldest first.
        self._waiting: deque[int] = deque()
        self._offered = self._accepted = self._taken = 0
        self._newest: int | None = None
        self._taken_units = 0

    @property
    def behind(self) -> int:
        """The time from the newest unit that the child took to the newest unit of the source."""
        return self._offered - self._taken

    @property
    def pending(self) -> int:
        """The time of the units that wait; those that were refused do not count."""
        return self._accepted - self._taken if self._waiting else 0

    def offer(self, dts: int, *, accepted: bool) -> None:
        """The source's next unit, which the child gets if it was ``accepted``."""
        if self._newest is not None:
            self._offered += min(max(dts - self._newest, 0), LONGEST_STEP)
        self._newest = dts
        if accepted:
            self._accepted = self._offered
            self._waiting.append(self._offered)

    def preroll(self) -> None:
        """A unit that is only decoded, so it is no media time."""
        self._waiting.append(self._offered)

    def take(self, units: int) -> None:
        """The child has taken ``units`` since its start."""
        while self._taken_units < units and self._waiting:
            self._taken_units += 1
            self._taken = self._waiting.popleft()
