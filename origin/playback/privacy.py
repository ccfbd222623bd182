"""Cached per-request privacy look-up."""

import time
from collections.abc import Awaitable, Callable

from storage.cached_lookup import CachedLookup, Freshness

# While the store answers, a viewer never gets an answer that is older than the second of these.
FRESHNESS = Freshness(refresh_s=2.5, max_age_s=5.0, fallback_s=2.0)


class PrivacyCache(CachedLookup[str, bool]):
    """Whether a stream is private. ``look_up`` reads the store each time: two caches would add their ages.

    If the store fails, the last known answer stays; ``get`` raises StorageError if there is no such answer.
    """

    def __init__(
        self,
        look_up: Callable[[str], Awaitable[bool]],
        *,
        remembered: int = 4096,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(look_up, max_count=remembered, freshness=FRESHNESS, clock=clock)
