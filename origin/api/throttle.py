"""Limits how many wrong tokens one address may try. Pure: ``now`` is monotonic seconds.

Tokens have 256 random bits, so they cannot be guessed at any rate. The limit is for what guesses cost the store and
the log.
"""

from media.peers import counted_as
from storage.sized_cache import SizedCache

# An address may send BURST wrong tokens at once, and another one every INTERVAL_S.
BURST = 10
INTERVAL_S = 6.0
MAX_ADDRESSES = 4096


class FailureThrottle:
    """Counts by /64 for IPv6. With more than ``MAX_ADDRESSES``, those that failed the longest ago are forgotten."""

    def __init__(self) -> None:
        # The time at which all failures of an address are forgiven.
        self._clear_at: SizedCache[str, float] = SizedCache(0, max_values=MAX_ADDRESSES)

    def wait_s(self, address: str, now: float) -> float:
        """Seconds until ``address`` may send another wrong token; 0 if it may now."""
        clear_at = self._clear_at.get(counted_as(address)) or now
        return max(0.0, clear_at - now - (BURST - 1) * INTERVAL_S)

    def fail(self, address: str, now: float) -> None:
        """``address`` has sent a wrong token."""
        peer = counted_as(address)
        self._clear_at.put(peer, max(self._clear_at.get(peer) or now, now) + INTERVAL_S, 0)
