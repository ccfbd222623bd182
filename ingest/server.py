"""The RTMP port: listens, and ends every publication when it stops."""

import asyncio
import socket
from collections.abc import Callable

from ingest.errors import IngestError, PublishRefused
from ingest.interface import EndReason, IngestHandler, Publication, PublisherLink, PublishRequest
from ingest.options import IngestOptions
from ingest.publisher import Edge, Publisher
from ingest.refusals import RefusalMemory

__all__ = [
    "EndReason",
    "IngestError",
    "IngestHandler",
    "IngestOptions",
    "IngestServer",
    "Publication",
    "PublishRefused",
    "PublishRequest",
    "PublisherLink",
]

STOPPING = "The server is stopping"


class IngestServer:
    """``on_refused`` is called with a stable code for every connection that was refused or dropped."""

    def __init__(
        self,
        handler: IngestHandler,
        options: IngestOptions | None = None,
        *,
        on_refused: Callable[[str], None] = lambda code: None,
    ) -> None:
        options = options or IngestOptions()
        self._edge = Edge(handler, options, on_refused, RefusalMemory(options.refusal_memory))
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket, *, backlog: int) -> None:
        """Accept publishers on ``listener``, which the server closes in the end."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Publisher(self._edge), sock=listener, backlog=backlog)

    async def close(self) -> None:
        """Stop listening, tell every publisher, end every publication."""
        if self._server is None:
            return
        self._server.close()
        edge = self._edge
        for task in list(edge.tasks):
            task.cancel()
        await asyncio.gather(*edge.tasks, return_exceptions=True)
        for publisher in list(edge.publishers):
            publisher.kick(STOPPING)
        while edge.publishers:
            edge.empty.clear()
            await edge.empty.wait()
        await self._server.wait_closed()
        self._server = None
