"""Decides when the publisher on standby takes the place of the one on air, because that one stalls."""

from collections import deque

# Each switch within this many seconds doubles the time that the next stall has to last, up to LONGEST_FACTOR times:
# two encoders that stall in turn do not switch every second.
REMEMBERED_S = 60.0
LONGEST_FACTOR = 8


class SwitchPolicy:
    """A publisher stalls if no unit of it arrives for ``switch_after`` seconds. ``now`` is monotonic seconds.

    ``on_air`` and ``standby`` are numbers that change whenever a unit of the publisher arrives.
    """

    def __init__(self, switch_after: float) -> None:
        self.switch_after = switch_after
        self._on_air = self._standby = 0
        self._on_air_at = 0.0
        self._standby_at: float | None = None
        self._standby_since = 0.0
        self._switches: deque[float] = deque()

    def begin(self, on_air: int, standby: int, now: float) -> None:
        """Both publishers are connected from now on, or have changed places."""
        self._on_air, self._standby = on_air, standby
        self._on_air_at = self._standby_since = now
        self._standby_at = None

    def observe(self, on_air: int, standby: int, now: float) -> None:
        if on_air != self._on_air:
            self._on_air, self._on_air_at = on_air, now
        if standby != self._standby:
            self._standby, self._standby_at = standby, now

    def is_due(self, now: float) -> bool:
        """Whether the one on air stalls and the standby does not."""
        while self._switches and now - self._switches[0] > REMEMBERED_S:
            self._switches.popleft()
        factor = min(2 ** len(self._switches), LONGEST_FACTOR)
        return now - self._on_air_at >= factor * self.switch_after and self.standby_sends(now)

    def standby_sends(self, now: float) -> bool:
        return self._standby_at is not None and now - self._standby_at < self.switch_after

    def standby_silent_s(self, now: float) -> float:
        """The seconds since the standby's newest unit, or since it is on standby if it has sent none."""
        return now - (self._standby_since if self._standby_at is None else self._standby_at)

    def switched(self, now: float) -> None:
        """The one on air stalled, and the standby has taken its place."""
        self._switches.append(now)
