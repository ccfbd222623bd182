"""Writes the audit log in the background, so that neither a slow nor a failing store delays an operator."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import islice, takewhile

import structlog

from storage.audit.batch import AuditBatch, batch_key, day_of
from storage.audit.entry import AuditEntry
from storage.audit.reader import AuditPage, read_page
from storage.backoff import backoff_for
from storage.documents import Documents
from storage.interface import ObjectStore, PreconditionFailed, StorageError

log = structlog.get_logger("audit")

MAX_WAITING = 10_000
MAX_BATCH = 500
# Seconds between two objects of one process, and that the end of the process waits for the store.
INTERVAL_S = 1.0
CLOSE_S = 5.0


class AuditLog:
    """An entry is first a line of the server's log, then waits in memory until the store has it.

    If the store fails, up to ``MAX_WAITING`` entries wait and are tried again. An entry that is lost, because too
    many wait or because the process ends, is an error in the server's log with all its content, and ``on_lost``
    counts it.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        on_lost: Callable[[int], None] = lambda count: None,
        interval: float = INTERVAL_S,
    ) -> None:
        self._store = store
        self._documents = Documents(store)
        self._on_lost = on_lost
        self._interval = interval
        self._waiting: deque[AuditEntry] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def record(self, entry: AuditEntry) -> None:
        """Never waits, and never fails."""
        log.info("audit", **_line(entry))
        if len(self._waiting) >= MAX_WAITING:
            self._lose((entry,), "too many entries wait for the store")
            return
        self._waiting.append(entry)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_waiting())

    async def read(self, *, since: float, before: float, limit: int, stream: str | None = None) -> AuditPage:
        """The newest entries, also those that wait for the store: :func:`storage.audit.reader.read_page`."""
        waiting = tuple(self._waiting)
        return await read_page(self._store, waiting, since=since, before=before, limit=limit, stream=stream)

    async def close(self, timeout: float = CLOSE_S) -> None:
        """Write what waits, for at most ``timeout`` seconds."""
        self._closing.set()
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=timeout)
            self._task.cancel()
            await asyncio.wait((self._task,))
        self._lose(tuple(self._waiting), "the server ended before the store took the entry")
        self._waiting.clear()

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch = self._next_batch()
            await self._write(batch)
            for _ in batch:
                self._waiting.popleft()
            if not self._closing.is_set():
                await self._pause(self._interval)

    def _next_batch(self) -> tuple[AuditEntry, ...]:
        day = day_of(self._waiting[0].at)
        return tuple(islice(takewhile(lambda entry: day_of(entry.at) == day, self._waiting), MAX_BATCH))

    async def _write(self, batch: tuple[AuditEntry, ...]) -> None:
        """Try until the store has the batch."""
        key, failures = batch_key(batch), 0
        while True:
            try:
                await self._documents.create(key, AuditBatch(entries=batch))
                return
            except PreconditionFailed:
                # The answer to an earlier attempt was lost: nobody else uses this name.
                return
            except StorageError as error:
                failures += 1
                if failures == 1:
                    log.warning("the audit log cannot be written, its entries wait", error=str(error))
                await self._pause(backoff_for(error).delay(failures, random.random()))

    async def _pause(self, seconds: float) -> None:
        """Ends early when the log begins to close."""
        if self._closing.is_set():
            await asyncio.sleep(seconds)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()

    def _lose(self, entries: tuple[AuditEntry, ...], reason: str) -> None:
        for entry in entries:
            log.error("an audit entry is lost", reason=reason, **_line(entry))
        if entries:
            self._on_lost(len(entries))


def _line(entry: AuditEntry) -> dict[str, object]:
    """The entry's values for a line of the log, without those that are empty."""
    values = entry.model_dump(mode="json", exclude={"id", "token"}, exclude_none=True)
    if entry.token is not None:
        values["token"], values["token_id"] = entry.token.name, entry.token.id
    return {name: value for name, value in values.items() if value != {}}
