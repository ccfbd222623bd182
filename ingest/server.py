"""Listens on the RTMP and RTMPS ports, and ends every publication when it closes."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from functools import partial

from ingest.interface import IngestHandler
from ingest.options import IngestOptions
from ingest.publisher import Publisher, SharedState

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
        self._shared = SharedState(handler, options, on_refused)
        self._servers: list[asyncio.Server] = []

    async def start(self, listener: socket.socket, *, backlog: int, tls: ssl.SSLContext | None = None) -> None:
        """Accept publishers on ``listener``, which :meth:`close` closes. With ``tls``, their connections are
        encrypted. May be called once per listener."""
        loop = asyncio.get_running_loop()
        factory = partial(Publisher, self._shared, tls)
        self._servers.append(await loop.create_server(factory, sock=listener, backlog=backlog))

    def reconfigure(self, options: IngestOptions) -> None:
        """Use ``options`` for the publishers that connect from now on. The numbers of connections stay."""
        self._shared.reconfigure(options)

    async def close(self) -> None:
        """Stop listening, and end every publication with a message to its publisher."""
        for server in self._servers:
            server.close()
        shared = self._shared
        for task in list(shared.tasks):
            task.cancel()
        await asyncio.gather(*shared.tasks, return_exceptions=True)
        for publisher in list(shared.publishers):
            publisher.kick(STOPPING)
        while shared.publishers:
            shared.empty.clear()
            await shared.empty.wait()
        for server in self._servers:
            await server.wait_closed()
        self._servers = []
