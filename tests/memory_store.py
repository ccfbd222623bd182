"""An object store in a dict, that can be told to fail or to hang."""

import asyncio
from collections.abc import AsyncIterator, Callable
from hashlib import md5

from storage.interface import (
    ObjectInfo,
    ObjectNotFound,
    PreconditionFailed,
    StorageError,
    StoredObject,
)


class MemoryStore:
    """``failing``: raised by every call while set. ``gate``: puts wait for it. ``puts``: keys in order."""

    def __init__(self) -> None:
        self.objects: dict[str, StoredObject] = {}
        self.failing: StorageError | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.puts: list[str] = []
        self.gets: list[str] = []
        self.on_put: Callable[[str], object] = lambda key: None

    def body(self, key: str) -> bytes:
        return self.objects[key].body

    def text(self, key: str) -> str:
        return self.body(key).decode()

    async def check(self) -> None:
        self._fail()

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
        await self.gate.wait()
        self._fail()
        there = self.objects.get(key)
        if (if_none_match and there) or (if_match and (there is None or there.info.etag != if_match)):
            raise PreconditionFailed(key)
        etag = md5(body, usedforsecurity=False).hexdigest()
        info = ObjectInfo(key, len(body), etag, 0.0, content_type, cache_control)
        self.objects[key] = StoredObject(info, body)
        self.puts.append(key)
        self.on_put(key)
        return info

    async def get(self, key: str) -> StoredObject:
        self.gets.append(key)
        self._fail()
        if key not in self.objects:
            raise ObjectNotFound(key)
        return self.objects[key]

    async def head(self, key: str) -> ObjectInfo:
        return (await self.get(key)).info

    async def delete(self, key: str) -> None:
        self._fail()
        self.objects.pop(key, None)

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        self._fail()
        for key in sorted(self.objects):
            if key.startswith(prefix):
                yield self.objects[key].info

    async def close(self) -> None:
        pass

    def _fail(self) -> None:
        if self.failing is not None:
            raise self.failing
