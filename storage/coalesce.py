"""Reading for many at once: simultaneous gets of an object cost one read, and immutable ones are kept a while."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from storage.content import is_immutable
from storage.interface import ObjectNotFound, ObjectStore, StoredObject, StoreUnavailable
from storage.sized_cache import SizedCache

MAX_MISSING = 4096


class CoalescingReader:
    """Keeps up to ``cache_bytes`` of immutable objects, the least recently read go first, and for ``missing_s``
    seconds of ``clock`` that an object is not there. At most ``max_reads`` store reads are under way at once.

    A waiter that goes away stops nothing for the others. An error reaches all who wait for the same read.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        cache_bytes: int = 64 << 20,
        missing_s: float = 0.5,
        max_reads: int = 256,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._missing_s = missing_s
        self._max_reads = max_reads
        self._clock = clock
        self._cached: SizedCache[str, StoredObject] = SizedCache(cache_bytes)
        self._missing_until: OrderedDict[str, float] = OrderedDict()
        self._reads: dict[str, asyncio.Task[StoredObject]] = {}

    @property
    def cached_bytes(self) -> int:
        return self._cached.bytes

    async def get(self, key: str) -> StoredObject:
        """As :meth:`ObjectStore.get`; StoreUnavailable also where too many reads are under way."""
        cached = self._cached.get(key)
        if cached is not None:
            return cached
        if self._is_known_missing(key):
            raise ObjectNotFound(f"there is no object {key}")
        return await asyncio.shield(self._reads.get(key) or self._start(key))

    def forget(self, key: str) -> None:
        """Read ``key`` anew next time: it was just put or deleted."""
        self._missing_until.pop(key, None)
        self._cached.drop(key)

    async def close(self) -> None:
        reads = list(self._reads.values())
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
        self._reads.clear()

    def _start(self, key: str) -> "asyncio.Task[StoredObject]":
        if len(self._reads) >= self._max_reads:
            raise StoreUnavailable("too many reads of the store are under way: try again")
        read = asyncio.create_task(self._read(key))
        # Where every waiter went away, nobody else asks for the error.
        read.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._reads[key] = read
        return read

    async def _read(self, key: str) -> StoredObject:
        try:
            found = await self._store.get(key)
        except ObjectNotFound:
            self._remember_missing(key)
            raise
        finally:
            self._reads.pop(key, None)
        if is_immutable(key):
            self._missing_until.pop(key, None)
            self._cached.put(key, found, len(found.body))
        return found

    def _is_known_missing(self, key: str) -> bool:
        until = self._missing_until.get(key)
        if until is None:
            return False
        if self._clock() < until:
            return True
        del self._missing_until[key]
        return False

    def _remember_missing(self, key: str) -> None:
        self._missing_until[key] = self._clock() + self._missing_s
        self._missing_until.move_to_end(key)
        while len(self._missing_until) > MAX_MISSING:
            self._missing_until.popitem(last=False)
