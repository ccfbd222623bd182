"""Listens on the RTMP port, and ends every publication when it closes."""

import asyncio
import socket
from collections.abc import Callable

from ingest.interface import IngestHandler
from ingest.options import IngestOptions
from ingest.publisher import Publisher, SharedState
from ingest.refusals import RefusalMemory

STOPPING = "The server is stopping"


class IngestServer:
    """The RTMP server. ``on_refused`` gets the stable code of each connection that is refused or dropped."""

    def __init__(
        self,
        handler: IngestHandler,
        options: IngestOptions | None = None,
        *,
        on_refused: Callable[[str], None] = lambda code: None,
    ) -> None:
        options = options or IngestOptions()
        self._shared = SharedState(handler, options, on_refused, RefusalMemory(options.refusal_memory))
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket, *, backlog: int) -> None:
        """Accept publishers on ``listener``, which :meth:`close` closes."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Publisher(self._shared), sock=listener, backlog=backlog)

    async def close(self) -> None:
        """Stop listening, and end every publication with a message to its publisher."""
        if self._server is None:
            return
        self._server.close()
        shared = self._shared
        for task in list(shared.tasks):
            task.cancel()
        await asyncio.gather(*shared.tasks, return_exceptions=True)
        for publisher in list(shared.publishers):
            publisher.kick(STOPPING)
        while shared.publishers:
            shared.empty.clear()
            await shared.empty.wait()
        await self._server.wait_closed()
        self._server = None
