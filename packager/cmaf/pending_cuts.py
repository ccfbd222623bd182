"""The cuts that a track has not reached yet."""

from collections import deque
from collections.abc import Callable

from packager.cmaf.cutter import Cut
from packager.cmaf.segment_writer import SegmentWriter


class PendingCuts(deque[Cut]):
    """A queue of cuts. A cut that the track passes without media becomes a gap: every track has an entry for every
    segment. The track completes its open segment before it makes gaps."""

    def __init__(self, writer: SegmentWriter) -> None:
        super().__init__()
        self._writer = writer

    def take(self, reached: Callable[[Cut], bool]) -> Cut:
        """Remove and return the newest cut that is reached; the first one always is."""
        while len(self) > 1 and reached(self[1]):
            self._skip()
        return self.popleft()

    def skip_to(self, cut: Cut) -> None:
        """Make gaps of all cuts before ``cut``, which is one of the queue."""
        while self[0] is not cut:
            self._skip()

    def expires(self, msn: int) -> bool:
        """Whether a cut up to ``msn`` is still pending."""
        return bool(self) and self[0].msn <= msn

    def expire(self, msn: int) -> None:
        """Make gaps of the cuts up to ``msn``. The newest cut stays: nobody knows yet how long its segment is."""
        while len(self) > 1 and self[0].msn <= msn:
            self._skip()

    def _skip(self) -> None:
        cut = self.popleft()
        self._writer.gap(cut, self[0].pts)
