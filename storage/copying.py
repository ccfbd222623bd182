"""Copies a store into another one: media first, then playlists, and last the catalogue, so that an interrupted copy
has no record of media that it lacks. A copy that is repeated continues, and adds what is new.

The object ``catalogue/copy.json`` marks a store as a copy. A server that uses a store removes the mark, and a store
with objects and without the mark is never written into.
"""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from storage.content import is_immutable
from storage.documents import Documents
from storage.identity import KEY as IDENTITY
from storage.identity import StoreIdentity
from storage.interface import ObjectInfo, ObjectNotFound, ObjectStore, StorageError, StoredObject

T = TypeVar("T")

MARK = "catalogue/copy.json"
# They belong to the store itself, or to a test of it.
NOT_COPIED = (IDENTITY, MARK, "catalogue/check/")
BATCH = 64
AT_ONCE = 8
TRIES = 3
RETRY_S = 2.0


class CopyError(StorageError):
    """Base of the errors of a copy."""

    code: ClassVar[str] = "copy"


class NothingToCopy(CopyError):
    """The source is not a store of Headwater."""

    code: ClassVar[str] = "nothing-to-copy"


class TargetInUse(CopyError):
    """The target has objects that no copy of this source has made."""

    code: ClassVar[str] = "copy-target-in-use"


class CopyDamaged(CopyError):
    """The target returned other bytes than those written."""

    code: ClassVar[str] = "copy-damaged"


class CopyMark(BaseModel):
    """``source`` is the identity of the store that was copied; times are seconds since the Unix epoch."""

    model_config = ConfigDict(frozen=True)

    id: str
    source: str
    began_at: float
    finished_at: float | None = None


@dataclass(slots=True)
class Copied:
    """``present`` were in the target already."""

    objects: int = 0
    bytes: int = 0
    present: int = 0


async def forget_copy(store: ObjectStore) -> None:
    """A server uses the store from now on, so that it is no mere copy. Raises StorageError."""
    await store.delete(MARK)


class StoreCopy:
    """``full``: compare the bytes of media that is in the target already, instead of its size alone.
    ``on_progress`` is called after each batch. Raises StorageError."""

    def __init__(
        self,
        source: ObjectStore,
        target: ObjectStore,
        *,
        clock: Callable[[], float],
        full: bool = False,
        on_progress: Callable[[Copied], None] = lambda copied: None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._source = source
        self._target = target
        self._clock = clock
        self._full = full
        self._on_progress = on_progress
        self._pause = pause
        self._documents = Documents(target)
        self._gate = asyncio.Semaphore(AT_ONCE)
        # The objects of the directory in the target that was listed last.
        self._folder = ""
        self._sizes: dict[str, int] = {}

    async def run(self) -> Copied:
        """Also raises NothingToCopy, TargetInUse, CopyDamaged."""
        mark = await self._begin()
        copied = Copied()
        for prefix, media in (("live/", True), ("live/", False), ("catalogue/", False)):
            await self._copy_all(_selected(self._source.list(prefix), media=media), mark, copied)
        await self._require_mark(mark)
        await self._documents.put(MARK, mark.model_copy(update={"finished_at": self._clock()}))
        return copied

    async def _begin(self) -> CopyMark:
        try:
            identity, _ = await Documents(self._source).read(IDENTITY, StoreIdentity)
        except ObjectNotFound:
            raise NothingToCopy(
                f"there is no store of Headwater at the source: it has no {IDENTITY}; check [store] location"
            ) from None
        old = await self._mark()
        if old is None and await self._has_objects():
            raise TargetInUse(
                "the target is used by a server, or was, or has objects of something else: choose an empty place"
            )
        if old is not None and old.source != identity.id:
            raise TargetInUse("the target is the copy of another store: choose an empty place")
        mark = CopyMark(id=secrets.token_hex(8), source=identity.id, began_at=self._clock())
        if old is None:
            await self._documents.create(MARK, mark)
        else:
            await self._documents.put(MARK, mark)
        await self._target.check()
        return mark

    async def _copy_all(self, found: AsyncIterator[ObjectInfo], mark: CopyMark, copied: Copied) -> None:
        batch: list[ObjectInfo] = []
        async for info in found:
            batch.append(info)
            if len(batch) == BATCH:
                await self._copy_batch(batch, mark, copied)
                batch = []
        await self._copy_batch(batch, mark, copied)

    async def _copy_batch(self, batch: Sequence[ObjectInfo], mark: CopyMark, copied: Copied) -> None:
        if not batch:
            return
        await self._require_mark(mark)
        missing = [info for info in batch if not await self._is_present(info)]
        copied.present += len(batch) - len(missing)
        sizes = await asyncio.gather(*(self._copy(info.key) for info in missing))
        copied.objects += sum(size is not None for size in sizes)
        copied.bytes += sum(size or 0 for size in sizes)
        self._on_progress(copied)

    async def _is_present(self, info: ObjectInfo) -> bool:
        """Only media, which never changes, can be present already."""
        if not is_immutable(info.key):
            return False
        folder = info.key.rpartition("/")[0] + "/"
        if folder != self._folder:
            self._folder = folder
            self._sizes = {found.key: found.size async for found in self._target.list(folder)}
        if self._sizes.get(info.key) != info.size:
            return False
        if not self._full:
            return True
        source, target = await self._source.get(info.key), await self._target.get(info.key)
        return _digest(source.body) == _digest(target.body)

    async def _copy(self, key: str) -> int | None:
        """Returns the size; None if the object was deleted in the source meanwhile."""
        async with self._gate:
            try:
                body = (await self._retried(lambda: self._source.get(key))).body
            except ObjectNotFound:
                return None
            made = await self._retried(lambda: self._target.put(key, body))
            # The ETag of most S3 servers is the MD5 of what they have stored. Otherwise it is read back.
            if made.etag != hashlib.md5(body, usedforsecurity=False).hexdigest():
                found = await self._retried(lambda: self._read_back(key))
                if _digest(found.body) != _digest(body):
                    raise CopyDamaged(f"the target returned other bytes of {key} than those written: copy again")
            return len(body)

    async def _read_back(self, key: str) -> StoredObject:
        try:
            return await self._target.get(key)
        except ObjectNotFound:
            raise CopyDamaged(f"the target does not have {key}, which was just written: copy again") from None

    async def _retried(self, call: Callable[[], Awaitable[T]]) -> T:
        for attempt in range(1, TRIES):
            try:
                return await call()
            except StorageError as error:
                if not error.retryable:
                    raise
            await self._pause(RETRY_S * attempt)
        return await call()

    async def _mark(self) -> CopyMark | None:
        try:
            return (await self._documents.read(MARK, CopyMark))[0]
        except ObjectNotFound:
            return None

    async def _require_mark(self, mark: CopyMark) -> None:
        """Raises TargetInUse."""
        found = await self._mark()
        if found is None or found.id != mark.id:
            raise TargetInUse("a server was started on the target, or another copy, so this one has stopped")

    async def _has_objects(self) -> bool:
        async for _ in self._target.list(""):
            return True
        return False


async def _selected(found: AsyncIterator[ObjectInfo], *, media: bool) -> AsyncIterator[ObjectInfo]:
    async for info in found:
        if is_immutable(info.key) == media and not info.key.startswith(NOT_COPIED):
            yield info


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()
