"""A stream's owner whose answers a test sets."""

import asyncio

from cluster.questions import Done, Switching
from live.status import History, Latencies, StreamState, StreamStatus, Thumbnail
from media.roles import Role
from storage.catalogue.events import EventRecord


class FakeOwner:
    """Every answer waits for ``gate`` and then fails with ``failure`` if that is set. ``kills`` lists the reasons
    of executed kill commands, ``disconnects`` the key hashes and reasons of disconnections, ``waits`` the seconds
    that requests for events would wait, ``switches`` counts switch commands, and ``cancelled`` counts abandoned
    answers."""

    def __init__(self, status: StreamStatus | None = None) -> None:
        self.current = status or StreamStatus(stream="s", state=StreamState.LIVE)
        self.samples = History()
        self.stages = Latencies()
        self.picture = Thumbnail(jpeg=b"", at=0)
        self.log = EventRecord(stream=self.current.stream, broadcast=self.current.broadcast or "")
        self.waits: list[float] = []
        self.kills: list[str] = []
        self.disconnects: list[tuple[str, str]] = []
        self.switches = 0
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

    async def events(self, after: int, limit: int, wait_s: float) -> EventRecord:
        await self._turn()
        self.waits.append(wait_s)
        return self.log.after(after, limit)

    async def kill(self, reason: str) -> Done:
        await self._turn()
        self.kills.append(reason)
        return Done()

    async def disconnect(self, key_hash: str, reason: str) -> Done:
        await self._turn()
        self.disconnects.append((key_hash, reason))
        return Done()

    async def switch(self) -> Switching:
        await self._turn()
        self.switches += 1
        return Switching(to=Role.BACKUP)

    async def _turn(self) -> None:
        self.called.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failure is not None:
            raise self.failure
