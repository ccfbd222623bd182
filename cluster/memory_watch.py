"""A watch on the claims of a :class:`cluster.memory.MemoryState`."""

import asyncio
from collections import deque
from collections.abc import Callable

from cluster.claims import Claim, ClaimChange
from cluster.errors import WatchOverrun

MAX_PENDING = 4096


class MemoryWatch:
    """A :class:`cluster.interface.ClaimWatch`. It holds at most ``MAX_PENDING`` unread changes."""

    def __init__(self, present: tuple[Claim, ...], *, on_closed: Callable[["MemoryWatch"], None]) -> None:
        self.present = present
        self._on_closed = on_closed
        self._pending: deque[ClaimChange] = deque()
        self._wake = asyncio.Event()
        self._overrun = False
        self._closed = False

    def add(self, change: ClaimChange) -> None:
        if len(self._pending) >= MAX_PENDING:
            self._overrun = True
            self._pending.clear()
        if not self._overrun:
            self._pending.append(change)
        self._wake.set()

    def __aiter__(self) -> "MemoryWatch":
        return self

    async def __anext__(self) -> ClaimChange:
        while True:
            if self._closed:
                raise StopAsyncIteration
            if self._overrun:
                raise WatchOverrun(f"more than {MAX_PENDING} changes were not read in time")
            if self._pending:
                return self._pending.popleft()
            self._wake.clear()
            await self._wake.wait()

    async def aclose(self) -> None:
        self._closed = True
        self._wake.set()
        self._on_closed(self)
