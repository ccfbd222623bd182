"""The times at which every rung gets an IDR, and the frames that a rung with a lower frame rate keeps."""

MAX_PENDING = 256


class CutSchedule:
    """Cuts that the decoder has not reached; times are presentation time, 90 000 a second."""

    def __init__(self) -> None:
        self._pending: list[int] = []
        self._since_cut = -1

    def add(self, pts: int) -> None:
        """The oldest cuts are dropped beyond a bound that only a decoder without output can reach."""
        self._pending.append(pts)
        self._pending.sort()
        del self._pending[:-MAX_PENDING]

    def next_frame(self, pts: int) -> tuple[int, bool]:
        """For the frame at ``pts``: how many frames after the last cut it comes, and whether it is a cut itself.

        Several cuts without a frame between them become one.
        """
        due = sum(1 for cut in self._pending if cut <= pts)
        del self._pending[:due]
        self._since_cut = 0 if due else self._since_cut + 1
        return self._since_cut, due > 0
