"""Shared reads of objects: simultaneous gets of an object cost one read, and immutable objects are cached."""

import time
from collections.abc import Callable

from storage.cached_lookup import MAX_LOOKUPS, CachedLookup, Freshness
from storage.content import is_immutable
from storage.interface import ObjectStore, StoredObject


class CoalescingReader(CachedLookup[str, StoredObject]):
    """Caches up to ``cache_bytes`` of immutable objects and drops the least recently used ones first. Caches for
    ``missing_s`` seconds that an object does not exist. ``get`` raises the errors of :meth:`ObjectStore.get`."""

    def __init__(
        self,
        store: ObjectStore,
        *,
        cache_bytes: int = 64 << 20,
        missing_s: float = 0.5,
        max_reads: int = MAX_LOOKUPS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            store.get,
            max_weight=cache_bytes,
            weight=lambda stored: len(stored.body),
            freshness=Freshness(),
            missing_s=missing_s,
            is_kept=is_immutable,
            max_lookups=max_reads,
            clock=clock,
        )
