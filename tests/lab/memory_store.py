"""An object store in memory that can be made to fail and to wait, and that records its calls."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count

from storage.content import cache_control, content_type
from storage.interface import (
    MAX_DELETED,
    ObjectInfo,
    ObjectNotFound,
    PreconditionFailed,
    StorageError,
    StoredObject,
)


class MemoryStore:
    """``failing`` is raised by every call while set; ``failures`` maps a key to the errors that its next calls
    raise, one each. Puts wait for ``gate``, calls with a key in ``hold`` for that key's event, and all calls for
    ``hanging``, if there is one. ``calls`` lists verbs and keys in call order, ``puts`` the keys in the order
    stored; ``on_put`` is called with each."""

    def __init__(self) -> None:
        self.objects: dict[str, StoredObject] = {}
        self.identity = "first"
        self.failing: StorageError | None = None
        self.failures: dict[str, list[StorageError]] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.hold: dict[str, asyncio.Event] = {}
        self.hanging: asyncio.Event | None = None
        self.calls: list[tuple[str, str]] = []
        self.puts: list[str] = []
        self.on_put: Callable[[str], object] = lambda key: None
        self.most_at_once = 0
        self._at_once = 0
        self._etags = count(1)

    def keys_of(self, verb: str) -> list[str]:
        return [key for called, key in self.calls if called == verb]

    def body(self, key: str) -> bytes:
        return self.objects[key].body

    def text(self, key: str) -> str:
        return self.body(key).decode()

    async def check(self) -> None:
        await self._called("check", "")

    async def identify(self) -> str:
        await self._called("identify", "")
        return self.identity

    async def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> ObjectInfo:
        await self._called("put", key)
        found = self.objects.get(key)
        if (if_none_match and found) or (if_match is not None and (found is None or found.info.etag != if_match)):
            raise PreconditionFailed(f"{key} is another")
        info = ObjectInfo(key, len(body), f"e{next(self._etags)}", 0.0, content_type(key), cache_control(key))
        self.objects[key] = StoredObject(info, body)
        self.puts.append(key)
        self.on_put(key)
        return info

    async def get(self, key: str) -> StoredObject:
        await self._called("get", key)
        try:
            return self.objects[key]
        except KeyError:
            raise ObjectNotFound(f"object {key} does not exist") from None

    async def head(self, key: str) -> ObjectInfo:
        return (await self.get(key)).info

    async def delete(self, key: str) -> None:
        await self._called("delete", key)
        self.objects.pop(key, None)

    async def delete_many(self, keys: Sequence[str]) -> None:
        assert len(keys) <= MAX_DELETED
        for key in keys:
            await self.delete(key)

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
            await self._turn(verb, key)
            if self.failing is not None:
                raise self.failing
            if self.failures.get(key):
                raise self.failures[key].pop(0)
        finally:
            self._at_once -= 1

    async def _turn(self, verb: str, key: str) -> None:
        if self.hanging is not None:
            await self.hanging.wait()
        elif key in self.hold:
            await self.hold[key].wait()
        elif verb == "put" and not self.gate.is_set():
            await self.gate.wait()
        else:
            await asyncio.sleep(0)
