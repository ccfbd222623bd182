"""A store in memory that fails, waits and counts as a test asks."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

from storage import ObjectInfo, ObjectNotFound, PreconditionFailed, StorageError, StoredObject


class MemoryStore:
    """``failures`` maps a key to errors that its next calls raise, one each; ``down`` fails every call;
    ``hold`` makes calls of a key wait for its event."""

    def __init__(self) -> None:
        self.objects: dict[str, StoredObject] = {}
        self.calls: list[tuple[str, str]] = []
        self.failures: dict[str, list[StorageError]] = {}
        self.down: StorageError | None = None
        self.hold: dict[str, asyncio.Event] = {}
        self.most_at_once = 0
        self._at_once = 0
        self._etags = count(1)

    def keys_of(self, verb: str) -> list[str]:
        return [key for called, key in self.calls if called == verb]

    def body(self, key: str) -> bytes:
        return self.objects[key].body

    async def check(self) -> None:
        await self._called("check", "")

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str,
        cache_control: str | None = None,
        if_none_match: bool = False,
        if_match: str | None = None,
    ) -> ObjectInfo:
        await self._called("put", key)
        found = self.objects.get(key)
        if (if_none_match and found) or (if_match is not None and (found is None or found.info.etag != if_match)):
            raise PreconditionFailed(f"{key} is another")
        info = ObjectInfo(key, len(body), f"e{next(self._etags)}", 0.0, content_type, cache_control)
        self.objects[key] = StoredObject(info, body)
        return info

    async def get(self, key: str) -> StoredObject:
        await self._called("get", key)
        try:
            return self.objects[key]
        except KeyError:
            raise ObjectNotFound(f"there is no object {key}") from None

    async def head(self, key: str) -> ObjectInfo:
        return (await self.get(key)).info

    async def delete(self, key: str) -> None:
        await self._called("delete", key)
        self.objects.pop(key, None)

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        await self._called("list", prefix)
        for key in sorted(self.objects):
            if key.startswith(prefix) and key in self.objects:
                yield self.objects[key].info

    async def close(self) -> None:
        pass

    async def _called(self, verb: str, key: str) -> None:
        self.calls.append((verb, key))
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if key in self.hold:
                await self.hold[key].wait()
            else:
                await asyncio.sleep(0)
            if self.down is not None:
                raise self.down
            if self.failures.get(key):
                raise self.failures[key].pop(0)
        finally:
            self._at_once -= 1
