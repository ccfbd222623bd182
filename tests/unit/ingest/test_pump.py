"""The pump reads sockets at its ticks, on each kind of event loop."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import cast

import pytest

from ingest.pump import INTERVAL_S, ROUND_S, Pump, SocketReading
from tests.lab.event_loops import EVENT_LOOPS, Run, run_on


@pytest.fixture(params=list(EVENT_LOOPS.values()), ids=list(EVENT_LOOPS))
def run(request: pytest.FixtureRequest) -> Run:
    return partial(run_on, request.param)


class Receiver(asyncio.BufferedProtocol):
    """``reads`` are the bytes of each read."""

    def __init__(self, size: int = 1024) -> None:
        self.reads: list[bytes] = []
        self.lost = asyncio.Event()
        self.transport: asyncio.Transport
        self._buffer = memoryview(bytearray(size))
        self._changed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.reads.append(self._buffer[:nbytes].tobytes())
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()

    async def receive(self, size: int) -> None:
        """Wait until ``size`` bytes were read."""
        while sum(map(len, self.reads)) < size:
            self._changed.clear()
            await self._changed.wait()


@asynccontextmanager
async def connection(pump: Pump, receiver: Receiver) -> AsyncIterator[tuple[socket.socket, SocketReading]]:
    """The peer's end, and who reads ours: nobody yet."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname())
        own, _ = listener.accept()
    await loop.create_connection(lambda: receiver, sock=own)
    reading = SocketReading(receiver.transport, receiver, pump)
    reading.pause()
    try:
        with peer:
            yield peer, reading
    finally:
        reading.close()
        receiver.transport.abort()
        await receiver.lost.wait()


def test_what_came_since_the_last_tick_is_read_at_once(run: Run) -> None:
    async def scenario() -> None:
        receiver = Receiver()
        async with connection(Pump(), receiver) as (peer, reading):
            reading.by_pump()
            for _ in range(3):
                peer.send(b"frame")
            await receiver.receive(15)
            assert receiver.reads == [b"frameframeframe"]
            peer.send(b"more")
            await receiver.receive(19)

    run(scenario)


def test_what_came_during_a_pause_is_not_left_until_the_next_tick(run: Run) -> None:
    async def scenario() -> None:
        receiver, pump = Receiver(), Pump()
        async with connection(pump, receiver) as (peer, reading):
            reading.by_pump()
            reading.pause()
            peer.send(b"frame")
            began = asyncio.get_running_loop().time()
            reading.by_pump()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert receiver.reads == [b"frame"] or asyncio.get_running_loop().time() - began > INTERVAL_S

    run(scenario)


def test_more_than_the_buffer_holds_is_read_in_one_tick(run: Run) -> None:
    async def scenario() -> None:
        receiver = Receiver(size=4)
        async with connection(Pump(), receiver) as (peer, reading):
            peer.send(b"abcdefghij")
            reading.by_pump()
            await receiver.receive(1)
            assert receiver.reads == [b"abcd", b"efgh", b"ij"]

    run(scenario)


def test_a_reading_that_is_paused_by_its_receiver_reads_no_further(run: Run) -> None:
    class Pausing(Receiver):
        reading: SocketReading

        def buffer_updated(self, nbytes: int) -> None:
            super().buffer_updated(nbytes)
            self.reading.pause()

    async def scenario() -> None:
        receiver, other, pump = Pausing(size=4), Receiver(), Pump()
        async with connection(pump, receiver) as (peer, reading), connection(pump, other) as (beside, others):
            receiver.reading = reading
            peer.send(b"abcdefghij")
            reading.by_pump()
            others.by_pump()
            await receiver.receive(1)
            for _ in range(2):
                beside.send(b"x")
                await other.receive(len(other.reads) + 1)
            assert receiver.reads == [b"abcd"]
            reading.by_pump()
            await receiver.receive(8)
            assert receiver.reads == [b"abcd", b"efgh"]
            reading.by_loop()
            await receiver.receive(10)

    run(scenario)


@pytest.mark.parametrize("reset", [False, True])
def test_the_end_of_a_connection_is_found(run: Run, reset: bool) -> None:
    async def scenario() -> None:
        receiver = Receiver()
        async with connection(Pump(), receiver) as (peer, reading):
            reading.by_pump()
            peer.send(b"last")
            await receiver.receive(4)
            if reset:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
            await receiver.lost.wait()
            assert receiver.reads == [b"last"]

    run(scenario)


def test_a_transport_that_closes_is_not_read(run: Run) -> None:
    async def scenario() -> None:
        receiver = Receiver()
        async with connection(Pump(), receiver) as (peer, reading):
            reading.by_pump()
            peer.send(b"late")
            receiver.transport.abort()
            reading.read()
            await receiver.lost.wait()
            assert receiver.reads == []

    run(scenario)


class Ticks:
    """Counts the iterations of the event loop."""

    def __init__(self) -> None:
        self.count = 0
        self._next()

    def _next(self) -> None:
        self.count += 1
        asyncio.get_running_loop().call_soon(self._next)


class Busy(Receiver):
    """Each read takes as long as a round may."""

    def __init__(self, ticks: Ticks) -> None:
        super().__init__()
        self.ticks = ticks
        self.read_at = 0

    def buffer_updated(self, nbytes: int) -> None:
        self.read_at = self.ticks.count
        time.sleep(ROUND_S)
        super().buffer_updated(nbytes)


def test_other_callbacks_run_during_a_round(run: Run) -> None:
    """A round with many publishers must not hold up viewers."""

    async def scenario() -> None:
        pump, ticks = Pump(), Ticks()
        receivers = [Busy(ticks) for _ in range(4)]
        async with AsyncExitStack() as stack:
            ends = [await stack.enter_async_context(connection(pump, receiver)) for receiver in receivers]
            for _, reading in ends:
                reading.by_pump()
            before = ticks.count
            while ticks.count < before + 3:
                await asyncio.sleep(0)
            for peer, _ in ends:
                peer.send(b"frame")
            for receiver in receivers:
                await receiver.receive(5)
            assert len({receiver.read_at for receiver in receivers}) == len(receivers)

    run(scenario)
