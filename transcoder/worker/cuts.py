"""The frames at which every rung gets an IDR, and the frame count since, by which rungs drop frames."""

MAX_PENDING = 256


class CutSchedule:
    """The cuts that the decoder has not reached. Times are presentation times in 90 kHz ticks."""

    def __init__(self) -> None:
        self._pending: list[int] = []
        self._since_cut = -1

    def add(self, pts: int) -> None:
        """Add a cut. Beyond ``MAX_PENDING``, which requires a decoder without output, the oldest is dropped."""
        self._pending.append(pts)
        self._pending.sort()
        del self._pending[:-MAX_PENDING]

    def next_frame(self, pts: int) -> tuple[int, bool]:
        """For the frame at ``pts``: the number of frames since the last cut, and whether the frame is a cut itself.

        Several cuts without a frame between them become one.
        """
        due = sum(1 for cut in self._pending if cut <= pts)
        del self._pending[:due]
        self._since_cut = 0 if due else self._since_cut + 1
        return self._since_cut, due > 0
