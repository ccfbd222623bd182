"""The frames at which every rung gets an IDR."""

MAX_PENDING = 256


class CutSchedule:
    """The cuts that the decoder has not reached. Times are presentation times in 90 kHz ticks."""

    def __init__(self) -> None:
        self._pending: list[int] = []

    def add(self, pts: int) -> None:
        """Add a cut. Beyond ``MAX_PENDING``, which requires a decoder without output, the oldest is dropped."""
        self._pending.append(pts)
        self._pending.sort()
        del self._pending[:-MAX_PENDING]

    def is_cut(self, pts: int) -> bool:
        """Whether the next frame, at ``pts``, is a cut. Several cuts without a frame between them become one."""
        due = sum(1 for cut in self._pending if cut <= pts)
        del self._pending[:due]
        return due > 0
