"""Notices that a store was emptied or made again while the server uses it."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

import structlog

from storage.interface import ObjectStore, StorageError

log = structlog.get_logger("storage")

EVERY_S = 5.0
# Reads in a row that fail before the store counts as away.
FAILURES = 2
REPLACED = "the store was emptied or made again: its streams, keys and recordings are gone"


class StoreTrouble(StrEnum):
    AWAY = "away"
    BACK = "back"
    REPLACED = "replaced"


class StoreWatch:
    """Reads the store's identity every ``every_s`` seconds, one small object. If it is another one, calls
    ``on_replaced``; if that raises StorageError, again the next time. ``on_trouble`` is called when the store
    begins to fail, when it answers again, and when it is another one."""

    def __init__(
        self,
        store: ObjectStore,
        on_replaced: Callable[[], Awaitable[None]],
        *,
        every_s: float = EVERY_S,
        on_trouble: Callable[[StoreTrouble, str], None] = lambda trouble, text: None,
    ) -> None:
        self._store = store
        self._on_replaced = on_replaced
        self._every_s = every_s
        self._on_trouble = on_trouble
        self._failures = 0
        self._known = self._reported = ""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises StorageError."""
        self._known = await self._store.identify()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._look()
            except StorageError as error:
                log.debug("the store's identity cannot be read", error=str(error))
                self._failures += 1
                if self._failures == FAILURES:
                    self._on_trouble(StoreTrouble.AWAY, str(error))
            except Exception:
                log.exception("live broadcasts cannot be restored in the store")

    async def _look(self) -> None:
        found = await self._store.identify()
        if self._failures >= FAILURES:
            self._on_trouble(StoreTrouble.BACK, "the store answers again")
        self._failures = 0
        if found != self._known:
            if found != self._reported:
                self._reported = found
                log.error(REPLACED)
                self._on_trouble(StoreTrouble.REPLACED, REPLACED)
            await self._on_replaced()
            self._known = found
