"""A cached look-up of whether a stream is private."""

import time
from collections.abc import Awaitable, Callable

from storage.cached_lookup import CachedLookup, Freshness

# While the store answers, no answer is older than ``max_age_s``.
FRESHNESS = Freshness(refresh_s=2.5, max_age_s=5.0, fallback_s=2.0)


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
        super().__init__(look_up, max_count=max_count, freshness=FRESHNESS, clock=clock)
