"""Gives the decoder's pictures presentation times that increase.

A decoder returns pictures in their order, with the times of their packets. Some encoders send times that
contradict the order: B-frames with the composition offset of every other frame, for example. Then each picture gets
the next of the times that were sent.
"""

from bisect import bisect_right, insort

# The first pictures whose time contradicts the order are left out: a decoder that has detected a deeper reordering
# returns some late.
LEFT_OUT = 8
# More packets than a decoder holds.
MAX_SENT = 64


class PictureTimes:
    """``disordered`` counts the pictures whose time contradicts the order. Times are 90 kHz ticks."""

    def __init__(self) -> None:
        self.disordered = 0
        self._last: int | None = None
        # The times of packets, in order, that are later than the newest picture.
        self._sent: list[int] = []

    def on_packet(self, pts: int) -> None:
        """A packet with this time is decoded."""
        if self._last is None or pts > self._last:
            insort(self._sent, pts)
            del self._sent[:-MAX_SENT]

    def on_picture(self, pts: int) -> int | None:
        """The time of the next picture, whose packet had ``pts``; None if the picture has to be left out."""
        if self._last is not None and pts <= self._last:
            self.disordered += 1
            if self.disordered <= LEFT_OUT or not self._sent:
                return None
            pts = self._sent[0]
        self._last = pts
        del self._sent[: bisect_right(self._sent, pts)]
        return pts
