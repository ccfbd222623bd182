"""A broadcast's uploads during an outage of the store, and how long the backlog takes to drain."""

import asyncio
import os
import time
from collections.abc import Collection
from dataclasses import dataclass
from unittest.mock import patch

import uvloop
from structlog.testing import capture_logs

from bench.store.candidates import s3_store
from storage.uploads import UploadQueue
from tests.lab.errors import LabError
from tests.lab.minio import MinioServer

# The sizes of a segment of each track of a ladder below 4 Mbit/s, and of its audio.
TRACKS = {"vsource": 1_000_000, "v480p": 350_000, "v360p": 200_000, "v240p": 100_000, "asource": 32_000}
PLAYLIST = bytes(4_000)
BEFORE_S = 1.0
DRAIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Outage:
    """``away`` is how many seconds the store did not answer. When it answered again, ``segments`` with ``waiting``
    bytes in total were not stored yet; ``drained`` seconds later all were, except the ``lost`` ones."""

    away: float
    segments: int
    waiting: int
    drained: float
    lost: int

    def __str__(self) -> str:
        return f"{self.away:.1f} s away: {self.segments} segments stored after {self.drained:.2f} s"


async def _playlist() -> bytes:
    return PLAYLIST


class Broadcast:
    """Submits a segment of every track and its playlist every ``segment_s`` seconds."""

    def __init__(self, segment_s: float) -> None:
        self._segment_s = segment_s
        self._bodies = {track: os.urandom(size) for track, size in TRACKS.items()}
        self._changed = asyncio.Event()
        self.unstored: set[str] = set()
        self.lost = 0

    def stored(self, key: str) -> None:
        self.unstored.discard(key)
        self._changed.set()

    def lose(self, key: str) -> None:
        self.lost += 1
        self.stored(key)

    async def feed(self, queue: UploadQueue) -> None:
        """Submit segments until cancelled."""
        msn = 0
        while True:
            for track, body in self._bodies.items():
                key, playlist = f"{track}/{msn}.m4s", f"{track}/media.m3u8"
                self.unstored.add(key)
                queue.put_media(key, body)
                queue.put_text(playlist, _playlist)
            msn += 1
            await asyncio.sleep(self._segment_s)

    async def wait_stored(self, keys: Collection[str]) -> None:
        while not self.unstored.isdisjoint(keys):
            self._changed.clear()
            await self._changed.wait()


def outage(server: MinioServer, away_s: float, segment_s: float) -> Outage:
    """Stop MinIO in the middle of a broadcast and restart it ``away_s`` seconds later.

    Raises LabError.
    """
    with (
        patch.dict(os.environ, server.account.environment),
        capture_logs(),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_outage(server, away_s, segment_s))


async def _outage(server: MinioServer, away_s: float, segment_s: float) -> Outage:
    store, broadcast = s3_store(server.account), Broadcast(segment_s)
    queue = UploadQueue(store, on_stored=broadcast.stored, on_lost=lambda key, _: broadcast.lose(key))
    feeding = asyncio.create_task(broadcast.feed(queue))
    try:
        await asyncio.sleep(BEFORE_S)
        await asyncio.to_thread(server.stop)
        stopped = time.perf_counter()
        await asyncio.sleep(away_s)
        await asyncio.to_thread(server.start)
        returned = time.perf_counter()
        backlog, waiting = frozenset(broadcast.unstored), queue.pending_bytes
        try:
            await asyncio.wait_for(broadcast.wait_stored(backlog), DRAIN_S)
        except TimeoutError:
            raise LabError(f"{len(backlog)} segments were not stored {DRAIN_S:g} s after the outage") from None
        return Outage(returned - stopped, len(backlog), waiting, time.perf_counter() - returned, broadcast.lost)
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        await queue.close()
        await store.close()
