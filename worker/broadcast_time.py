"""The time at which a publisher's media begins on the broadcast's timeline."""

from collections.abc import Callable

from media.timescale import MILLISECONDS, NANOSECONDS
from media.units import VIDEO_TIMESCALE
from worker.ledger import SHORTEST_GAP, BroadcastLedger


class BroadcastTime:
    """Sets the ledger's time zero. ``clock`` returns monotonic seconds, ``unix_ns`` Unix time in nanoseconds."""

    def __init__(self, ledger: BroadcastLedger, *, clock: Callable[[], float], unix_ns: Callable[[], int]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._unix_ns = unix_ns
        self._zero = clock() - (unix_ns() / NANOSECONDS - ledger.zero_ms / MILLISECONDS)

    def begin(self, first_ns: int | None, room: int) -> int:
        """Set broadcast time zero, so that the first frame, which arrived at ``first_ns`` (Unix nanoseconds), has
        the time ``room`` (90 kHz ticks). Returns ``room``."""
        if first_ns is not None:
            zero_ns = first_ns - room * NANOSECONDS // VIDEO_TIMESCALE
            self._zero = self._clock() - (self._unix_ns() - zero_ns) / NANOSECONDS
            self._ledger.zero_ms = zero_ns // (NANOSECONDS // MILLISECONDS)
        return room

    def return_base(self) -> int:
        """The time (90 kHz ticks) at which a returning publisher continues: now, but after the timeline's end."""
        elapsed = round((self._clock() - self._zero) * VIDEO_TIMESCALE)
        return max(elapsed, self._ledger.end + SHORTEST_GAP)
