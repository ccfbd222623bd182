"""What is known of every recording in the store, from the catalogue's records."""

import asyncio
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from storage.catalogue.catalogue import BROADCASTS
from storage.catalogue.records import BroadcastRecord
from storage.documents import PARALLEL_READS, CorruptRecord, Documents
from storage.interface import ObjectInfo, ObjectNotFound, ObjectStore

log = structlog.get_logger("keeping")


class BroadcastName(NamedTuple):
    stream: str
    broadcast: str


@dataclass(frozen=True, slots=True)
class Recording:
    """The part of a :class:`~storage.catalogue.records.BroadcastRecord` that decides if it stays. ``ended_at`` is
    None while it is on air, and also if its server never recorded its end."""

    stream: str
    broadcast: str
    started_at: float
    ended_at: float | None = None
    duration_s: float = 0.0
    bytes: int = 0
    kept: bool = False
    deleted_at: float | None = None
    deleted_for: str | None = None

    @property
    def name(self) -> BroadcastName:
        return BroadcastName(self.stream, self.broadcast)


class Recordings:
    """All recordings. A record is read again only if its ETag has changed."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._documents = Documents(store)
        self._known: dict[str, tuple[str, Recording]] = {}
        self._refreshing = asyncio.Lock()

    async def refresh(self) -> list[Recording]:
        """In the order of streams and times. Damaged records are logged and left out. Raises StorageError."""
        async with self._refreshing:
            found = [info async for info in self._store.list(BROADCASTS)]
            self._known = {
                info.key: known
                for info in found
                if (known := self._known.get(info.key)) is not None and info.etag and known[0] == info.etag
            }
            gate = asyncio.Semaphore(PARALLEL_READS)
            await asyncio.gather(*(self._read(info, gate) for info in found if info.key not in self._known))
        return sorted((recording for _, recording in self._known.values()), key=lambda each: each.name)

    async def _read(self, info: ObjectInfo, gate: asyncio.Semaphore) -> None:
        async with gate:
            try:
                record, etag = await self._documents.read(info.key, BroadcastRecord)
            except ObjectNotFound:
                return
            except CorruptRecord as error:
                log.error("a damaged record is left out", key=info.key, error=str(error))
                return
        self._known[info.key] = (etag, recording_of(record))


def recording_of(record: BroadcastRecord) -> Recording:
    return Recording(
        stream=record.stream,
        broadcast=record.broadcast,
        started_at=record.started_at,
        ended_at=record.ended_at,
        duration_s=record.duration_s,
        bytes=record.bytes,
        kept=record.kept,
        deleted_at=record.deleted_at,
        deleted_for=record.deleted_for,
    )
