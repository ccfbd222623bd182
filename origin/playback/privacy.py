"""Which streams are private, asked with every request: answered from memory, looked up in the background."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from storage.interface import StorageError, StoreUnavailable

log = structlog.get_logger("playback")

MAX_LOOKUPS = 256


@dataclass(slots=True)
class Known:
    private: bool
    at: float


class PrivateStreams:
    """``lookup`` tells of one stream. What is known is answered at once, and looked up behind that when it is older
    than ``fresh_s``; what is older than ``stale_s``, or not known, is waited for. A store that fails changes
    nothing of what is known.

    At most ``remembered`` streams are known, the least recently asked for go first.
    """

    def __init__(
        self,
        lookup: Callable[[str], Awaitable[bool]],
        *,
        fresh_s: float = 5.0,
        stale_s: float = 15.0,
        remembered: int = 4096,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lookup = lookup
        self._fresh_s = fresh_s
        self._stale_s = stale_s
        self._remembered = remembered
        self._clock = clock
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._lookups: dict[str, asyncio.Task[bool]] = {}

    async def is_private(self, stream: str) -> bool:
        """Raises StorageError where nothing is known of the stream and nothing can be learnt."""
        known = self._known.get(stream)
        if known is None:
            return await asyncio.shield(self._look_up(stream))
        self._known.move_to_end(stream)
        age = self._clock() - known.at
        if age < self._fresh_s:
            return known.private
        try:
            task = self._look_up(stream)
            return await asyncio.shield(task) if age >= self._stale_s else known.private
        except StorageError:
            return known.private

    def _look_up(self, stream: str) -> "asyncio.Task[bool]":
        task = self._lookups.get(stream)
        if task is None:
            if len(self._lookups) >= MAX_LOOKUPS:
                raise StoreUnavailable("too many streams are being looked up at once: try again")
            task = self._lookups[stream] = asyncio.create_task(self._ask(stream))
            task.add_done_callback(lambda done: self._on_looked_up(stream, done))
        return task

    async def _ask(self, stream: str) -> bool:
        return await self._lookup(stream)

    def _on_looked_up(self, stream: str, task: "asyncio.Task[bool]") -> None:
        del self._lookups[stream]
        known = self._known.get(stream)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._known[stream] = Known(task.result(), self._clock())
            if len(self._known) > self._remembered:
                self._known.popitem(last=False)
        elif known is not None:
            known.at = self._clock()
            level = log.warning if isinstance(error, StorageError) else log.error
            level("whether a stream is private is as it was known", stream=stream, error=str(error))
