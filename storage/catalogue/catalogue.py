"""The durable catalogue: streams, their keys and past broadcasts, as JSON objects in the store.

    catalogue/streams/{stream}.json                    StreamRecord
    catalogue/keys/{sha256}.json                       KeyRecord: the stream of a key, in one read
    catalogue/broadcasts/{stream}/{broadcast}.json     BroadcastRecord
    catalogue/private/{stream}.json                    PrivateRecord: deleted, but its recordings stay private

Writes are conditional if there can be two writers. A key's object is written before the stream's record lists the
key. A key is valid only if both agree, so a crash in between admits no publisher.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from math import inf
from typing import ClassVar, TypeVar

import structlog
from pydantic import BaseModel

from media.names import is_stream_name
from storage.cached_lookup import CachedLookup, Freshness
from storage.catalogue.records import (
    MAX_KEYS,
    BroadcastRecord,
    KeyRecord,
    PrivateRecord,
    StreamRecord,
    StreamSettings,
)
from storage.catalogue.stream_keys import key_hash, new_stream_key
from storage.documents import CorruptRecord, Documents
from storage.interface import (
    ObjectNotFound,
    ObjectStore,
    PreconditionFailed,
    StorageError,
    StoreUnavailable,
)
from storage.sized_cache import SizedCache

log = structlog.get_logger("catalogue")

M = TypeVar("M", bound=BaseModel)

PARALLEL_READS = 8
UPDATE_TRIES = 8
MAX_BROADCASTS = 1000

_STREAMS = "catalogue/streams/"


class BadStreamName(StorageError):
    code: ClassVar[str] = "bad-stream-name"


class StreamExists(PreconditionFailed):
    code: ClassVar[str] = "stream-exists"


class StreamNotFound(ObjectNotFound):
    code: ClassVar[str] = "stream-not-found"


class Catalogue:
    """Every method raises the store's errors in addition to those it names.

    Up to ``max_cached`` stream records stay in memory. :meth:`find_by_key` uses a record that is younger than
    ``fresh_s`` seconds, or an older one if the store fails or does not answer within ``timeout_s`` seconds. While
    the store answers, a key that another process revoked is therefore refused after at most ``fresh_s``.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        fresh_s: float = 5.0,
        timeout_s: float = 2.0,
        max_cached: int = 4096,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._documents = Documents(store)
        self._records: CachedLookup[str, StreamRecord] = CachedLookup(
            self._load,
            max_count=max_cached,
            freshness=Freshness(refresh_s=fresh_s, max_age_s=fresh_s, fallback_s=timeout_s),
            # Unlimited, because ingest limits the publishers, and all of them may return at the same moment.
            max_lookups=inf,
            clock=clock,
        )
        self._streams_by_key: SizedCache[str, str] = SizedCache(0, max_values=max_cached * MAX_KEYS)

    async def create_stream(
        self, stream: str, settings: StreamSettings | None = None, *, now: float
    ) -> tuple[StreamRecord, str]:
        """Returns the record and the stream's key, which is shown only once. Raises BadStreamName, StreamExists."""
        if not is_stream_name(stream):
            raise BadStreamName(
                f"{stream[:80]!r} cannot be a stream's name: use 1 to 63 lower-case letters, digits and hyphens, "
                "with no hyphen at either end"
            )
        key, hashed = await self._new_key(stream)
        record = StreamRecord(
            stream=stream, settings=settings or StreamSettings(), key_hashes=(hashed,), created_at=now
        )
        try:
            await self._documents.create(_stream_object(stream), record)
        except PreconditionFailed:
            # The client may have repeated a put whose answer was lost; the stored record is then this one.
            if await self._stored(stream) != record:
                await self._store.delete(_key_object(hashed))
                raise StreamExists(f"there is a stream {stream} already") from None
        self._cache(record)
        return record, key

    async def get_stream(self, stream: str) -> StreamRecord:
        """Read from the store. Raises StreamNotFound."""
        record = await self._load(stream)
        self._cache(record)
        return record

    async def is_private(self, stream: str) -> bool:
        """Whether viewers need a token. Reads the store each time; if it fails, the last record read is used.
        The recordings of a deleted private stream stay private."""
        try:
            return (await self._records.refresh(stream)).settings.private
        except ObjectNotFound:
            return await self._was_private(stream)

    async def list_streams(self) -> list[StreamRecord]:
        """All streams, sorted by name. Damaged records are logged and left out."""
        keys = [info.key async for info in self._store.list(_STREAMS)]
        records = await self._read_all(keys, StreamRecord)
        for record in records:
            self._cache(record)
        return records

    async def update_stream(self, stream: str, change: Callable[[StreamRecord], StreamRecord]) -> StreamRecord:
        """Replace the record by ``change(record)``; ``change`` is called again if another writer was faster.

        Raises StreamNotFound, and StoreUnavailable if other writers keep being faster.
        """
        for _ in range(UPDATE_TRIES):
            record, etag = await self._read_stream(stream)
            changed = change(record)
            if changed == record:
                return record
            try:
                await self._documents.replace(_stream_object(stream), changed, etag)
            except PreconditionFailed:
                continue
            self._cache(changed)
            return changed
        raise StoreUnavailable(f"other writers keep changing the record of {stream}: try again")

    async def delete_stream(self, stream: str) -> None:
        """Remove the record and its keys. The recordings stay, and those of a private stream stay private. Raises
        StreamNotFound.

        The record is removed last, so that a deletion that failed can be repeated.
        """
        record = await self.get_stream(stream)
        if record.settings.private:
            await self._documents.put(_private_object(stream), PrivateRecord(stream=stream))
        for hashed in record.key_hashes:
            await self._store.delete(_key_object(hashed))
        self._records.forget(stream)
        await self._store.delete(_stream_object(stream))
        self._records.forget(stream)

    async def rotate_key(self, stream: str) -> str:
        """Create a key, which is shown only once, and revoke the old ones immediately. Raises StreamNotFound."""
        await self.get_stream(stream)
        key, hashed = await self._new_key(stream)
        revoked: tuple[str, ...] = ()

        def change(record: StreamRecord) -> StreamRecord:
            nonlocal revoked
            revoked = tuple(old for old in record.key_hashes if old != hashed)
            return record.model_copy(update={"key_hashes": (hashed,)})

        await self.update_stream(stream, change)
        for old in revoked:
            await self._store.delete(_key_object(old))
        return key

    async def find_by_key(self, key: str) -> StreamRecord | None:
        """The stream that a broadcaster's key belongs to, or None. The caller checks the record for a ban."""
        hashed = key_hash(key)
        if hashed is None:
            return None
        try:
            stream = self._streams_by_key.get(hashed)
            if stream is None:
                pointer, _ = await self._documents.read(_key_object(hashed), KeyRecord)
                stream = pointer.stream
            record = await self._records.get(stream)
            self._streams_by_key.put(hashed, stream, 0)
        except ObjectNotFound:
            return None
        return record if hashed in record.key_hashes else None

    async def ban(self, stream: str, until: float | None) -> StreamRecord:
        """Refuse all publishers until ``until`` (Unix seconds); None lifts the ban. Raises StreamNotFound."""
        return await self.update_stream(stream, lambda record: record.model_copy(update={"banned_until": until}))

    async def put_broadcast(self, record: BroadcastRecord) -> None:
        """Write the record unconditionally, because a broadcast has only one writer."""
        await self._documents.put(_broadcast_object(record.stream, record.broadcast), record)

    async def list_broadcasts(self, stream: str, limit: int = MAX_BROADCASTS) -> list[BroadcastRecord]:
        """The newest ``limit`` broadcasts, newest first; empty if the stream does not exist."""
        if not is_stream_name(stream):
            return []
        newest: deque[str] = deque(maxlen=limit)
        async for info in self._store.list(_broadcasts(stream)):
            newest.append(info.key)
        return await self._read_all(reversed(newest), BroadcastRecord)

    async def close(self) -> None:
        """Cancel the reads that are in flight."""
        await self._records.close()

    async def _new_key(self, stream: str) -> tuple[str, str]:
        key = new_stream_key()
        hashed = key_hash(key)
        assert hashed is not None
        await self._documents.put(_key_object(hashed), KeyRecord(stream=stream))
        return key, hashed

    async def _load(self, stream: str) -> StreamRecord:
        return (await self._read_stream(stream))[0]

    async def _read_stream(self, stream: str) -> tuple[StreamRecord, str]:
        """The record and its ETag. Raises StreamNotFound."""
        try:
            if not is_stream_name(stream):
                raise ObjectNotFound
            return await self._documents.read(_stream_object(stream), StreamRecord)
        except ObjectNotFound:
            self._records.forget(stream)
            raise StreamNotFound(f"there is no stream {stream[:80]}") from None

    async def _was_private(self, stream: str) -> bool:
        if not is_stream_name(stream):
            return False
        try:
            await self._store.head(_private_object(stream))
        except ObjectNotFound:
            return False
        return True

    async def _stored(self, stream: str) -> StreamRecord | None:
        try:
            return await self.get_stream(stream)
        except StreamNotFound:
            return None

    async def _read_all(self, keys: Iterable[str], model: type[M]) -> list[M]:
        gate = asyncio.Semaphore(PARALLEL_READS)

        async def read(key: str) -> M | None:
            async with gate:
                try:
                    return (await self._documents.read(key, model))[0]
                except ObjectNotFound:
                    return None
                except CorruptRecord as error:
                    log.error("a damaged record is left out", key=key, error=str(error))
                    return None

        return [record for record in await asyncio.gather(*map(read, keys)) if record is not None]

    def _cache(self, record: StreamRecord) -> None:
        self._records.put(record.stream, record)
        for hashed in record.key_hashes:
            self._streams_by_key.put(hashed, record.stream, 0)


def _stream_object(stream: str) -> str:
    return f"{_STREAMS}{stream}.json"


def _key_object(hashed: str) -> str:
    return f"catalogue/keys/{hashed}.json"


def _private_object(stream: str) -> str:
    return f"catalogue/private/{stream}.json"


def _broadcasts(stream: str) -> str:
    return f"catalogue/broadcasts/{stream}/"


def _broadcast_object(stream: str, broadcast: str) -> str:
    return f"{_broadcasts(stream)}{broadcast}.json"
