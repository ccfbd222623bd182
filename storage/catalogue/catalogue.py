"""The durable catalogue: streams, their keys and past broadcasts, as JSON objects in the store.

    catalogue/streams/{stream}.json                    StreamRecord
    catalogue/keys/{sha256}.json                       KeyRecord: the stream of a key, in one read, and its use
    catalogue/broadcasts/{stream}/{broadcast}.json     BroadcastRecord
    catalogue/events/{stream}/{broadcast}.json         EventRecord, which the owner of the broadcast writes
    catalogue/private/{stream}.json                    PrivateRecord: deleted, but its recordings stay private
    catalogue/purges/{stream}.json                     PurgeRecord: all of it is being deleted

Writes are conditional if there can be two writers. :mod:`storage.catalogue.key_ring` changes keys.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import ClassVar

import structlog

from media.names import is_broadcast_id, is_stream_name
from media.roles import Role
from storage.cached_lookup import CachedLookup, Freshness
from storage.catalogue.events import MAX_EVENTS, Event, EventCode, EventRecord, FieldValue, events_object
from storage.catalogue.key_ring import KeyNotFound, KeyRing, key_object
from storage.catalogue.named_keys import NamedKey
from storage.catalogue.records import (
    MAX_KEYS,
    BroadcastRecord,
    KeyRecord,
    PrivateRecord,
    PurgeRecord,
    StreamRecord,
    StreamSettings,
)
from storage.catalogue.stream_keys import key_hash
from storage.documents import CorruptRecord, Documents
from storage.interface import (
    ObjectNotFound,
    ObjectStore,
    PreconditionFailed,
    StorageError,
    StoreUnavailable,
)
from storage.sized_cache import SizedCache
from storage.timely import within

log = structlog.get_logger("catalogue")

UPDATE_TRIES = 8
# Seconds that a request waits for a store that has not answered before.
LONGEST_ANSWER_S = 5.0
MAX_BROADCASTS = 1000

BROADCASTS = "catalogue/broadcasts/"
_STREAMS = "catalogue/streams/"
_PURGES = "catalogue/purges/"


class BadStreamName(StorageError):
    code: ClassVar[str] = "bad-stream-name"


class StreamExists(PreconditionFailed):
    code: ClassVar[str] = "stream-exists"


class StreamPurging(PreconditionFailed):
    """The recordings of an earlier stream of this name are being deleted."""

    code: ClassVar[str] = "stream-purging"


class StreamNotFound(ObjectNotFound):
    code: ClassVar[str] = "stream-not-found"


class BroadcastNotFound(ObjectNotFound):
    code: ClassVar[str] = "broadcast-not-found"


class NoBackupKey(ObjectNotFound):
    code: ClassVar[str] = "no-backup-key"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who may publish with a stream key: the primary encoder of the key's stream, or its backup."""

    record: StreamRecord
    key: NamedKey

    @property
    def role(self) -> Role:
        return self.key.role


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
        self.keys = KeyRing(store, self.update_stream)
        self._records: CachedLookup[str, StreamRecord] = CachedLookup(
            self._load,
            max_count=max_cached,
            freshness=Freshness(refresh_s=fresh_s, max_age_s=fresh_s, fallback_s=timeout_s),
            # Unlimited, because ingest limits the publishers, and all of them may return at the same moment.
            max_lookups=inf,
            clock=clock,
        )
        self._lists: CachedLookup[None, list[StreamRecord]] = CachedLookup(
            lambda _: self.list_streams(),
            freshness=Freshness(refresh_s=0, max_age_s=0, fallback_s=timeout_s),
            clock=clock,
        )
        self._streams_by_key: SizedCache[str, str] = SizedCache(0, max_values=max_cached * (MAX_KEYS + 1))

    async def create_stream(
        self, stream: str, settings: StreamSettings | None = None, *, now: float
    ) -> tuple[StreamRecord, str]:
        """Returns the record and the stream's key, which is shown only once. Raises BadStreamName, StreamExists,
        StreamPurging."""
        _require_stream_name(stream)
        if await self._exists(_purge_object(stream)):
            raise StreamPurging(
                f"the recordings of an earlier stream {stream} are being deleted: wait until they are, or choose "
                "another name"
            )
        key, hashed = await self.keys.make(stream)
        record = StreamRecord(
            stream=stream,
            settings=settings or StreamSettings(),
            key_hashes=(hashed,),
            created_at=now,
            key_created_at=now,
        )
        try:
            await self._create(record)
        except StreamExists:
            await self._store.delete(key_object(hashed))
            raise
        return record, key

    async def create_keyless_stream(self, stream: str, *, now: float) -> StreamRecord:
        """A stream that nobody can publish to with a key. Raises BadStreamName, StreamExists."""
        _require_stream_name(stream)
        record = StreamRecord(stream=stream, key_hashes=(), created_at=now)
        await self._create(record)
        return record

    async def get_stream(self, stream: str) -> StreamRecord:
        """Read from the store. Raises StreamNotFound."""
        record = await self._load(stream)
        self._cache(record)
        return record

    async def find_stream(self, stream: str) -> StreamRecord:
        """Like :meth:`get_stream`, but the last record read if the store fails or does not answer in time."""
        return await within(LONGEST_ANSWER_S, self._records.refresh(stream))

    async def find_streams(self) -> list[StreamRecord]:
        """Like :meth:`list_streams`, but the last list read if the store fails or does not answer in time."""
        return await within(LONGEST_ANSWER_S, self._lists.refresh(None))

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
        records = await self._documents.read_all(keys, StreamRecord)
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
                self._cache(record)
                return record
            try:
                await self._documents.replace(_stream_object(stream), changed, etag)
            except PreconditionFailed:
                continue
            self._cache(changed)
            self._lists.outdate(None)
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
        for key in record.keys:
            await self._store.delete(key_object(key.key_hash))
        self._records.forget(stream)
        await self._store.delete(_stream_object(stream))
        self._records.forget(stream)
        self._lists.outdate(None)

    async def rotate_key(self, stream: str, *, now: float) -> str:
        """Create the primary's key, which is shown only once, and revoke the old one immediately. Raises
        StreamNotFound."""
        return await self.keys.replace(stream, Role.PRIMARY, now=now)

    async def rotate_backup_key(self, stream: str, *, now: float) -> str:
        """Create the backup's key, which is shown only once, and revoke the old one immediately if there is one.
        Raises StreamNotFound."""
        return await self.keys.replace(stream, Role.BACKUP, now=now)

    async def remove_backup_key(self, stream: str) -> None:
        """Revoke the backup's key. Raises StreamNotFound, NoBackupKey."""
        try:
            await self.keys.revoke(stream, Role.BACKUP)
        except KeyNotFound:
            raise NoBackupKey(f"{stream} has no backup key") from None

    async def find_by_key(self, key: str) -> StreamRecord | None:
        """The stream that a broadcaster's key belongs to, or None."""
        publisher = await self.find_publisher(key)
        return publisher.record if publisher is not None else None

    async def find_publisher(self, key: str) -> Publisher | None:
        """Who may publish with ``key``, or None. The caller checks the key's limits, and the record for a ban."""
        hashed = key_hash(key)
        if hashed is None:
            return None
        try:
            stream = self._streams_by_key.get(hashed)
            if stream is None:
                pointer, _ = await self._documents.read(key_object(hashed), KeyRecord)
                stream = pointer.stream
            record = await self._records.get(stream)
            self._streams_by_key.put(hashed, stream, 0)
        except ObjectNotFound:
            return None
        return next((Publisher(record, one) for one in record.keys if one.key_hash == hashed), None)

    async def ban(self, stream: str, until: float | None, reason: str = "") -> StreamRecord:
        """Refuse all publishers until ``until`` (Unix seconds) for ``reason``; None lifts the ban. Raises
        StreamNotFound."""
        return await self.update_stream(
            stream, lambda record: record.model_copy(update={"banned_until": until, "ban_reason": reason})
        )

    async def put_broadcast(self, record: BroadcastRecord) -> None:
        """Write the owner's record. What others have set, ``kept`` and the deletion, stays. The stream's record
        gets ``last_live_at``, so that a list of streams need not read broadcasts."""
        await self._put_broadcast(record)
        last_live_at = record.ended_at or record.started_at
        try:
            await self.update_stream(
                record.stream, lambda stream: stream.model_copy(update={"last_live_at": last_live_at})
            )
        except StreamNotFound:
            log.info("the broadcast's stream was deleted", stream=record.stream, broadcast=record.broadcast)

    async def list_broadcasts(self, stream: str, limit: int = MAX_BROADCASTS) -> list[BroadcastRecord]:
        """The newest ``limit`` broadcasts, newest first, without deleted ones; empty if there is no stream."""
        if not is_stream_name(stream):
            return []
        keys = [info.key async for info in self._store.list(broadcasts_prefix(stream))]
        found: list[BroadcastRecord] = []
        while keys and len(found) < limit:
            missing = limit - len(found)
            records = await self._documents.read_all(reversed(keys[-missing:]), BroadcastRecord)
            found += [record for record in records if record.deleted_at is None]
            del keys[-missing:]
        return found

    async def get_broadcast(self, stream: str, broadcast: str) -> BroadcastRecord:
        """Also one that is deleted, until its record is removed. Raises BroadcastNotFound."""
        return (await self._read_broadcast(stream, broadcast))[0]

    async def update_broadcast(
        self, stream: str, broadcast: str, change: Callable[[BroadcastRecord], BroadcastRecord]
    ) -> BroadcastRecord:
        """Replace the record by ``change(record)``; ``change`` is called again if another writer was faster. Raises
        BroadcastNotFound, and StoreUnavailable if other writers keep being faster."""
        for _ in range(UPDATE_TRIES):
            record, etag = await self._read_broadcast(stream, broadcast)
            changed = change(record)
            if changed == record:
                return record
            try:
                await self._documents.replace(broadcast_object(stream, broadcast), changed, etag)
            except PreconditionFailed:
                continue
            return changed
        raise StoreUnavailable(f"other writers keep changing the record of {broadcast}: try again")

    async def add_event(
        self,
        stream: str,
        broadcast: str,
        code: EventCode,
        text: str,
        *,
        now: float,
        fields: Mapping[str, FieldValue] | None = None,
    ) -> None:
        """Add an event to the log of a broadcast that has ended. Without a complete log, nothing is added."""
        key = events_object(stream, broadcast)
        for _ in range(UPDATE_TRIES):
            try:
                record, etag = await self._documents.read(key, EventRecord)
            except (ObjectNotFound, CorruptRecord):
                return
            if not record.complete:
                return
            number = record.events[-1].number + 1 if record.events else 1
            event = Event(number=number, at=now, code=code, text=text, fields=dict(fields or {}))
            events = (*record.events, event)[-MAX_EVENTS:]
            dropped = record.dropped + len(record.events) + 1 - len(events)
            try:
                await self._documents.replace(
                    key, record.model_copy(update={"events": events, "dropped": dropped}), etag
                )
            except PreconditionFailed:
                continue
            return

    async def begin_purge(self, stream: str, *, now: float) -> None:
        """Note that all of the stream is to be deleted. No stream of this name can be created until
        :meth:`end_purge`."""
        await self._documents.put(_purge_object(stream), PurgeRecord(stream=stream, at=now))

    async def purges(self) -> list[PurgeRecord]:
        """The purges that have begun and not ended."""
        keys = [info.key async for info in self._store.list(_PURGES)]
        return await self._documents.read_all(keys, PurgeRecord)

    async def end_purge(self, stream: str) -> None:
        """All of the stream is deleted, so that it also counts as private no more."""
        await self._store.delete(_private_object(stream))
        await self._store.delete(_purge_object(stream))

    async def find_events(self, stream: str, broadcast: str) -> EventRecord:
        """The stored event log of a broadcast, without events if it has none. Raises BroadcastNotFound."""
        if not is_stream_name(stream) or not is_broadcast_id(broadcast):
            raise _no_broadcast(stream, broadcast)
        return await within(LONGEST_ANSWER_S, self._read_events(stream, broadcast))

    async def close(self) -> None:
        """Cancel what is in flight."""
        await self.keys.close()
        await self._records.close()
        await self._lists.close()

    async def _create(self, record: StreamRecord) -> None:
        try:
            await self._documents.create(_stream_object(record.stream), record)
        except PreconditionFailed:
            # The client may have repeated a put whose answer was lost; the stored record is then this one.
            if await self._stored(record.stream) != record:
                raise StreamExists(f"there is a stream {record.stream} already") from None
        self._cache(record)
        self._lists.outdate(None)

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

    async def _read_events(self, stream: str, broadcast: str) -> EventRecord:
        try:
            return (await self._documents.read(events_object(stream, broadcast), EventRecord))[0]
        except ObjectNotFound:
            pass
        record = await self.get_broadcast(stream, broadcast)
        return EventRecord(stream=stream, broadcast=broadcast, complete=record.ended_at is not None)

    async def _was_private(self, stream: str) -> bool:
        return is_stream_name(stream) and await self._exists(_private_object(stream))

    async def _exists(self, key: str) -> bool:
        try:
            await self._store.head(key)
        except ObjectNotFound:
            return False
        return True

    async def _read_broadcast(self, stream: str, broadcast: str) -> tuple[BroadcastRecord, str]:
        """The record and its ETag. Raises BroadcastNotFound."""
        try:
            if not is_stream_name(stream) or not is_broadcast_id(broadcast):
                raise ObjectNotFound
            return await self._documents.read(broadcast_object(stream, broadcast), BroadcastRecord)
        except ObjectNotFound:
            raise _no_broadcast(stream, broadcast) from None

    async def _put_broadcast(self, record: BroadcastRecord) -> None:
        key = broadcast_object(record.stream, record.broadcast)
        for _ in range(UPDATE_TRIES):
            try:
                old, etag = await self._documents.read(key, BroadcastRecord)
            except (ObjectNotFound, CorruptRecord):
                await self._documents.put(key, record)
                return
            marks = {"kept": old.kept, "deleted_at": old.deleted_at, "deleted_for": old.deleted_for}
            marked = record.model_copy(update=marks)
            if marked == old:
                return
            try:
                await self._documents.replace(key, marked, etag)
            except PreconditionFailed:
                continue
            return
        raise StoreUnavailable(f"other writers keep changing the record of {record.broadcast}: try again")

    async def _stored(self, stream: str) -> StreamRecord | None:
        try:
            return await self.get_stream(stream)
        except StreamNotFound:
            return None

    def _cache(self, record: StreamRecord) -> None:
        self._records.put(record.stream, record)
        for key in record.keys:
            self._streams_by_key.put(key.key_hash, record.stream, 0)


def _require_stream_name(stream: str) -> None:
    if not is_stream_name(stream):
        raise BadStreamName(
            f"{stream[:80]!r} cannot be a stream's name: use 1 to 63 lower-case letters, digits and hyphens, "
            "with no hyphen at either end"
        )


def _no_broadcast(stream: str, broadcast: str) -> BroadcastNotFound:
    return BroadcastNotFound(f"{stream[:80]} has no broadcast {broadcast[:80]}")


def _stream_object(stream: str) -> str:
    return f"{_STREAMS}{stream}.json"


def _private_object(stream: str) -> str:
    return f"catalogue/private/{stream}.json"


def _purge_object(stream: str) -> str:
    return f"{_PURGES}{stream}.json"


def broadcasts_prefix(stream: str) -> str:
    return f"{BROADCASTS}{stream}/"


def broadcast_object(stream: str, broadcast: str) -> str:
    return f"{broadcasts_prefix(stream)}{broadcast}.json"
