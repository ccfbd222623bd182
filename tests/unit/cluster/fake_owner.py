"""A stream's owner whose answers a test sets."""

import asyncio

from cluster.questions import Done
from live.status import History, Latencies, StreamState, StreamStatus, Thumbnail


class FakeOwner:
    """Every answer waits for ``gate`` and then fails with ``failure`` if that is set. ``kills`` lists the reasons
    of executed kill commands, ``cancelled`` counts abandoned answers."""

    def __init__(self, status: StreamStatus | None = None) -> None:
        self.current = status or StreamStatus(stream="s", state=StreamState.LIVE)
        self.samples = History()
        self.stages = Latencies()
        self.picture = Thumbnail(jpeg=b"", at=0)
        self.kills: list[str] = []
        self.failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.called = asyncio.Event()
        self.cancelled = 0

    async def status(self) -> StreamStatus:
        await self._turn()
        return self.current

    async def history(self) -> History:
        await self._turn()
        return self.samples

    async def latencies(self) -> Latencies:
        await self._turn()
        return self.stages

    async def thumbnail(self) -> Thumbnail:
        await self._turn()
        return self.picture

    async def kill(self, reason: str) -> Done:
        await self._turn()
        self.kills.append(reason)
        return Done()

    async def _turn(self) -> None:
        self.called.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failure is not None:
            raise self.failure
