"""Limits how often something may happen for each key. Pure: ``now`` is monotonic seconds."""

from storage.sized_cache import SizedCache

MAX_KEYS = 4096


class Throttle:
    """Allows ``burst`` for a key at once, and another one every ``interval_s``. With more than ``MAX_KEYS`` keys,
    those that were counted the longest ago are forgotten. Peers are counted by :func:`media.peers.counted_as`."""

    def __init__(self, burst: int, interval_s: float) -> None:
        self._interval_s = interval_s
        self._allowance_s = (burst - 1) * interval_s
        # The time at which everything that was counted for a key is forgiven.
        self._clear_at: SizedCache[str, float] = SizedCache(0, max_values=MAX_KEYS)

    def __len__(self) -> int:
        return len(self._clear_at)

    def wait_s(self, key: str, now: float) -> float:
        """Seconds until ``key`` is allowed another one; 0 if it is now."""
        clear_at = self._clear_at.get(key) or now
        return max(0.0, clear_at - now - self._allowance_s)

    def count(self, key: str, now: float, amount: int = 1) -> None:
        """It has happened ``amount`` times. If that is more than is allowed now, ``key`` waits for longer."""
        clear_at = max(self._clear_at.get(key) or now, now)
        self._clear_at.put(key, clear_at + amount * self._interval_s, 0)
