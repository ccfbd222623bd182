"""The cuts that a track has not reached yet."""

from collections import deque
from collections.abc import Callable

from media.units import VIDEO_TIMESCALE
from packager.cmaf.cut import Cut
from packager.cmaf.segment_writer import SegmentWriter

# 90 kHz ticks. There may be nothing before a discontinuity, and EXT-X-TARGETDURATION must not change.
SHORTEST_GAP, LONGEST_GAP = VIDEO_TIMESCALE // 10, VIDEO_TIMESCALE


class PendingCuts(deque[Cut]):
    """A queue of cuts, oldest first.

    A cut that the track passes without media becomes a gap, so every track has an entry for every segment. The
    track must complete its open segment before a gap is written.
    """

    def __init__(self, writer: SegmentWriter) -> None:
        super().__init__()
        self._writer = writer

    def take(self, reached: Callable[[Cut], bool]) -> Cut:
        """Remove the newest cut for which ``reached`` is true, or else the first cut, and return it.

        The cuts before it become gaps.
        """
        while len(self) > 1 and reached(self[1]):
            self._skip()
        return self.popleft()

    def skip_to(self, cut: Cut) -> None:
        """Turn all cuts before ``cut``, which must be in the queue, into gaps."""
        while self[0] is not cut:
            self._skip()

    def expires(self, msn: int) -> bool:
        """Whether a cut up to ``msn`` is still pending."""
        return bool(self) and self[0].msn <= msn

    def expire(self, msn: int, expected_end: int | None = None) -> None:
        """Turn the cuts up to ``msn`` into gaps.

        The newest cut stays, because its segment's end is not known yet, unless its ``expected_end`` (90 kHz ticks)
        is given.
        """
        while self.expires(msn) and (len(self) > 1 or expected_end is not None):
            self._skip(expected_end)

    def _skip(self, expected_end: int | None = None) -> None:
        cut = self.popleft()
        if not self:
            end = expected_end or cut.pts
        elif self[0].discontinuity:
            end = min(self[0].pts, cut.pts + LONGEST_GAP)
        else:
            end = self[0].pts
        # The offsets of pictures may be so wild that a cut is before the one before it.
        self._writer.gap(cut, max(end, cut.pts + SHORTEST_GAP))
