"""Corrects the timestamp of a single message that is ahead of its track.

If the timestamps of a track step forward, its media may have a hole, or one timestamp may be wrong. The next
message of the track shows which: the one after the step is held until then.
"""

from collections.abc import Sequence

from ingest.track_clock import SMALL_STEP_MS, WRAP, difference

# A message: its timestamp in milliseconds modulo 2^32, and its body.
Stamped = tuple[int, bytes]


class StepHold:
    """The messages of one track. ``newest`` is the timestamp of the newest one that was passed on, ``held`` the
    message after a step."""

    __slots__ = ("_steady", "held", "newest")

    def __init__(self) -> None:
        self.newest = 0
        self.held: Stamped | None = None
        # Whether the newest timestamp was near the one before it. After two large steps, the interval is large.
        self._steady = False

    def passes(self, timestamp: int) -> bool:
        """Whether the next message, at ``timestamp``, does not step and can be placed at once. If not, add it."""
        if self.held is not None or not 0 <= timestamp - self.newest <= SMALL_STEP_MS:
            return False
        self.newest, self._steady = timestamp, True
        return True

    def add(self, timestamp: int, body: bytes) -> Sequence[Stamped]:
        """Take the next message; return those whose timestamps are known."""
        step = difference(timestamp, self.newest)
        if self.held is None and self._steady and step > SMALL_STEP_MS:
            self.held = timestamp, body
            return ()
        small = -SMALL_STEP_MS <= step <= SMALL_STEP_MS
        known = self.release()
        if known and small and difference(known[0][0], timestamp) > SMALL_STEP_MS:
            known = (((timestamp - max(step, 0) // 2) % WRAP, known[0][1]),)
        self.newest, self._steady = timestamp, small
        return (*known, (timestamp, body))

    def release(self) -> Sequence[Stamped]:
        """The held message, if there is one: the track ends, or the message is not ahead."""
        held, self.held = self.held, None
        if held is None:
            return ()
        self.newest, self._steady = held[0], False
        return (held,)

    def release_before(self, timestamp: int) -> Sequence[Stamped]:
        """The held message if the other track has reached ``timestamp`` after it."""
        return () if self.held is None or difference(timestamp, self.held[0]) < 0 else self.release()
