"""Reads the newest entries of the audit log, with a bound on the objects read."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from media.promises import NOT_NEGATIVE
from storage.audit.batch import AuditBatch, StoredBatch, day_prefix, days_back, parse_batch_key
from storage.audit.entry import AuditEntry
from storage.documents import PARALLEL_READS, Documents
from storage.interface import ObjectStore

MAX_OBJECTS = 250 * PARALLEL_READS


class AuditPage(BaseModel):
    """If ``complete_since`` is later than the requested time, there are more entries: ask again with ``before`` set
    to it."""

    model_config = ConfigDict(frozen=True)

    entries: list[AuditEntry] = Field(description="newest first")
    complete_since: float = Field(
        examples=[1795171265.0],
        description="seconds since the Unix epoch; no entry after it is left out",
        json_schema_extra=NOT_NEGATIVE,
    )


async def read_page(
    store: ObjectStore,
    waiting: Iterable[AuditEntry],
    *,
    since: float,
    before: float,
    limit: int,
    stream: str | None = None,
) -> AuditPage:
    """The newest ``limit`` entries with ``since <= at < before`` (Unix seconds), of all streams or of one; more
    if several have the same time as the last.

    ``waiting`` are entries that may not be in the store yet. Raises StorageError.
    """
    found: dict[str, AuditEntry] = {}
    complete_since = since

    def add(entries: Iterable[AuditEntry]) -> None:
        for entry in entries:
            if since <= entry.at < before and stream in (None, entry.stream):
                found[entry.id] = entry

    add(waiting)
    documents, read = Documents(store), 0
    async for batches in _batches(store, since, before):
        newest = batches[0].last
        if read >= MAX_OBJECTS or sum(entry.at > newest for entry in found.values()) >= limit:
            complete_since = newest
            break
        for batch in await documents.read_all((batch.key for batch in batches), AuditBatch):
            add(batch.entries)
        read += len(batches)
    newest_first = sorted(found.values(), key=lambda entry: (entry.at, entry.id), reverse=True)
    if len(newest_first) > limit:
        complete_since = max(complete_since, newest_first[limit - 1].at)
    entries = [entry for entry in newest_first if entry.at >= complete_since]
    return AuditPage(entries=entries, complete_since=complete_since)


async def _batches(store: ObjectStore, since: float, before: float) -> AsyncIterator[list[StoredBatch]]:
    """The batches that may have entries of this time, a few at a time, the newest first.

    A quiet log has many empty days, so a few of them are listed at once.
    """
    days = days_back(since, before)
    for start in range(0, len(days), PARALLEL_READS):
        some = days[start : start + PARALLEL_READS]
        for batches in await asyncio.gather(*(_batches_of(store, day, since, before) for day in some)):
            for index in range(0, len(batches), PARALLEL_READS):
                yield batches[index : index + PARALLEL_READS]


async def _batches_of(store: ObjectStore, day: date, since: float, before: float) -> list[StoredBatch]:
    """Newest first; if there are more than a page may read, only as many as it takes to notice that."""
    newest: deque[StoredBatch] = deque(maxlen=MAX_OBJECTS + PARALLEL_READS)
    async for info in store.list(day_prefix(day)):
        batch = parse_batch_key(info.key)
        if batch is not None and batch.first < before and batch.last >= since:
            newest.append(batch)
    return list(reversed(newest))
