"""The RTMP port: listens, and ends every publication when it stops."""

import asyncio
from collections.abc import Callable

from ingest.errors import IngestError, ListenFailed, PublishRefused
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
    "ListenFailed",
    "Publication",
    "PublishRefused",
    "PublishRequest",
    "PublisherLink",
]

# Many encoders may come back at the same moment.
BACKLOG = 1024
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

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; port 0 means any free one. The address that it is. Raises ListenFailed."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: Publisher(self._edge), host, port, backlog=BACKLOG)
        except OSError as error:
            raise ListenFailed(f"cannot listen for RTMP on {host}:{port}: {error.strerror or error}") from error
        name = self._server.sockets[0].getsockname()
        return name[0], name[1]

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
