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

    def return_base(self, arrived: float | None = None) -> int:
        """The time (90 kHz ticks) at which a publisher continues whose first media ``arrived`` at these monotonic
        seconds, by default now: the time of the arrival, but after the timeline's end."""
        return max(self.at(self._clock() if arrived is None else arrived), self._ledger.end + SHORTEST_GAP)

    def at(self, monotonic: float) -> int:
        """The time of the broadcast (90 kHz ticks) at these monotonic seconds."""
        return round((monotonic - self._zero) * VIDEO_TIMESCALE)
