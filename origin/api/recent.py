"""What was just read is not read again: answers that many ask for at once, kept for a moment."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Keeps ``remembered`` answers for ``fresh_s`` each; those who ask while one is fetched wait for the same.

    A failure goes to those who wait for it and is not kept.
    """

    def __init__(self, *, fresh_s: float, remembered: int, clock: Callable[[], float]) -> None:
        self._fresh_s = fresh_s
        self._remembered = remembered
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, asyncio.Task[T]]] = OrderedDict()

    async def get(self, key: str, fetch: Callable[[], Coroutine[Any, Any, T]]) -> T:
        now = self._clock()
        entry = self._entries.get(key)
        # A clock that was set back makes an entry old, not fresh for ever.
        if entry is not None and 0 <= now - entry[0] < self._fresh_s:
            return await asyncio.shield(entry[1])
        task = asyncio.create_task(fetch())
        self._entries[key] = (now, task)
        self._entries.move_to_end(key)
        while len(self._entries) > self._remembered:
            self._entries.popitem(last=False)
        task.add_done_callback(lambda done: self._drop_failure(key, done))
        return await asyncio.shield(task)

    def forget(self, key: str) -> None:
        self._entries.pop(key, None)

    def _drop_failure(self, key: str, task: "asyncio.Task[T]") -> None:
        if task.cancelled() or task.exception() is not None:
            entry = self._entries.get(key)
            if entry is not None and entry[1] is task:
                del self._entries[key]
