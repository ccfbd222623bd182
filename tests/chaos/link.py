"""The network between an encoder and the server: a TCP relay that can be cut and slowed down."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress

from tests.lab.ports import HOST

CHUNK = 4096


class Link:
    """``port`` is where the encoder connects. ``rate`` bounds the bytes per second towards the server."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.rate: float | None = None
        self._target = target
        self._whole = asyncio.Event()
        self._whole.set()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Reset all connections. New ones get no answer until :meth:`restore`, as if their packets were lost."""
        self._whole.clear()
        for writer in list(self._writers):
            writer.transport.abort()

    def restore(self) -> None:
        self._whole.set()

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect one encoder to the server."""
        self._writers.add(writer)
        try:
            await self._whole.wait()
            with suppress(OSError):
                server, far_writer = await asyncio.open_connection(HOST, self._target)
                self._writers.add(far_writer)
                try:
                    await _both(
                        self._pump(reader, far_writer, lambda: self.rate),
                        self._pump(server, writer, lambda: None),
                    )
                finally:
                    self._writers.discard(far_writer)
                    far_writer.close()
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rate: Callable[[], float | None]
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                writer.write(data)
                await writer.drain()
                if limit := rate():
                    await asyncio.sleep(len(data) / limit)


async def _both(*pumps: Coroutine[None, None, None]) -> None:
    """Run both until one ends: then the connection is over."""
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def linked(target: int) -> AsyncIterator[Link]:
    """A link to the server's port ``target`` of this machine, until the block ends."""
    link = Link(target)
    server = await asyncio.start_server(link.relay, HOST, 0, limit=2 * CHUNK)
    link.port = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        server.close()
        link.restore()
        link.cut()
