"""A cached look-up of whether a stream is private."""

import time
from collections.abc import Awaitable, Callable

from storage.cached_lookup import CachedLookup, Freshness

# While the store answers, no answer is older than ``max_age_s``.
FRESHNESS = Freshness(refresh_s=2.5, max_age_s=5.0, fallback_s=2.0)
# Requests for streams that do not exist must fill neither the queue of the store's reads nor the event loop: they
# wait here. The more threads read, the longer the loop waits for the interpreter lock.
MAX_LOOKUPS, MAX_RUNNING = 1024, 4


class PrivacyCache(CachedLookup[str, bool]):
    """Whether a stream is private. ``look_up`` must not be cached, because the ages of two caches add up.

    If the store fails, the last answer is reused; ``get`` raises StorageError if there is none.
    """

    def __init__(
        self,
        look_up: Callable[[str], Awaitable[bool]],
        *,
        max_count: int = 4096,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            look_up,
            max_count=max_count,
            freshness=FRESHNESS,
            max_lookups=MAX_LOOKUPS,
            max_running=MAX_RUNNING,
            clock=clock,
        )
