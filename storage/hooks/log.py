"""The log of each hook's attempts: the newest ones, in one object for each hook.

Attempts wait in memory, the newest of each hook, and are written every two seconds.
"""

import asyncio
from collections import deque

import structlog
from pydantic import BaseModel, ConfigDict, Field

from media.promises import NOT_NEGATIVE
from storage.documents import Documents
from storage.interface import ObjectNotFound, ObjectStore, PreconditionFailed, StorageError

log = structlog.get_logger("hooks")

MAX_ENTRIES = 200
INTERVAL_S = 2.0

_LOGS = "catalogue/hooks/log/"


class Attempt(BaseModel):
    """One attempt to deliver a message. Unknown fields are ignored, so that an older Headwater can read those of a
    newer one."""

    model_config = ConfigDict(frozen=True)

    at: float = Field(
        examples=[1795257665.25], description="seconds since the Unix epoch", json_schema_extra=NOT_NEGATIVE
    )
    delivery: str = Field(examples=["msg_01a1f2c3d4e5_9f86d081a1b2"], description="the header `webhook-id`")
    event: str = Field(examples=["stream.live"])
    stream: str | None = Field(default=None, examples=["studio-a"])
    attempt: int = Field(examples=[1], description="counts from 1", json_schema_extra=NOT_NEGATIVE)
    outcome: str = Field(
        examples=["delivered"], description="`delivered`, `retry`, `dead`; of a test: `delivered`, `failed`"
    )
    status: int | None = Field(
        default=None,
        examples=[204],
        description="the HTTP status; null without an answer",
        json_schema_extra=NOT_NEGATIVE,
    )
    duration_s: float = Field(examples=[0.08], json_schema_extra=NOT_NEGATIVE)
    error: str | None = Field(default=None, examples=["500 Internal Server Error"])
    next_at: float | None = Field(
        default=None,
        examples=[1795257670.0],
        description="when it is tried again; null: not",
        json_schema_extra=NOT_NEGATIVE,
    )


class LogRecord(BaseModel):
    """The oldest attempt is first."""

    model_config = ConfigDict(frozen=True)

    attempts: tuple[Attempt, ...] = ()


class HookLogs:
    def __init__(self, store: ObjectStore, *, interval: float = INTERVAL_S) -> None:
        self._store = store
        self._documents = Documents(store)
        self._interval = interval
        self._waiting: dict[str, deque[Attempt]] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, hook: str, attempt: Attempt) -> None:
        """Never waits, and never fails."""
        self._waiting.setdefault(hook, deque(maxlen=MAX_ENTRIES)).append(attempt)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_waiting())

    async def read(self, hook: str, limit: int) -> list[Attempt]:
        """The newest attempts, the newest first, also those that wait for the store. Raises StorageError."""
        stored, _ = await self._stored(hook)
        return sorted(_merged(stored, self._waiting.get(hook, ())), key=lambda each: each.at, reverse=True)[:limit]

    async def delete(self, hook: str) -> None:
        """Raises StorageError."""
        self._waiting.pop(hook, None)
        await self._store.delete(_object(hook))

    async def hooks(self) -> list[str]:
        """The hooks that have a log. Raises StorageError."""
        return [info.key.removeprefix(_LOGS).removesuffix(".json") async for info in self._store.list(_LOGS)]

    async def close(self) -> None:
        """Write what waits, once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        await self._write_all()

    async def _write_waiting(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._interval)
            await self._write_all()

    async def _write_all(self) -> None:
        for hook, waiting in tuple(self._waiting.items()):
            written = tuple(waiting)
            try:
                await self._write(hook, written)
            except PreconditionFailed:
                continue
            except StorageError as error:
                log.debug("attempts at a hook wait for the store", hook=hook, error=str(error))
                return
            for attempt in written:
                if waiting and waiting[0] is attempt:
                    waiting.popleft()
            if not waiting and self._waiting.get(hook) is waiting:
                del self._waiting[hook]

    async def _write(self, hook: str, attempts: tuple[Attempt, ...]) -> None:
        """Raises PreconditionFailed if another server was faster."""
        stored, etag = await self._stored(hook)
        record = LogRecord(attempts=tuple(_merged(stored, attempts))[-MAX_ENTRIES:])
        if etag is None:
            await self._documents.create(_object(hook), record)
        else:
            await self._documents.replace(_object(hook), record, etag)

    async def _stored(self, hook: str) -> tuple[tuple[Attempt, ...], str | None]:
        try:
            record, etag = await self._documents.read(_object(hook), LogRecord)
        except ObjectNotFound:
            return (), None
        return record.attempts, etag


def _merged(stored: "tuple[Attempt, ...]", waiting: "deque[Attempt] | tuple[Attempt, ...]") -> list[Attempt]:
    """Without those of ``waiting`` that an earlier put stored, whose answer was lost."""
    return [*stored, *(attempt for attempt in waiting if attempt not in stored)]


def _object(hook: str) -> str:
    return f"{_LOGS}{hook}.json"
