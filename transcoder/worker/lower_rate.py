"""Chooses the pictures of renditions with a lower frame rate than the source."""

from media.units import VIDEO_TIMESCALE

# A tenth less than the interval of 30 frames per second, because timestamps are rounded.
SHORTEST_INTERVAL = VIDEO_TIMESCALE * 9 // 300


class LowerRate:
    """Leaves out pictures that follow too soon. It goes by their times, because a frame rate may vary."""

    def __init__(self) -> None:
        self._next: int | None = None

    def takes(self, pts: int, *, cut: bool) -> bool:
        """Whether the picture at ``pts`` (90 kHz ticks) belongs to such a rendition. A ``cut`` always does."""
        if not cut and self._next is not None and pts < self._next:
            return False
        self._next = pts + SHORTEST_INTERVAL
        return True
