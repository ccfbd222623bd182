"""Runs uvicorn in an existing event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp

from control.listening import BACKLOG

GRACE_S = 3


class HttpServer(uvicorn.Server):
    """A uvicorn server that does not handle signals."""

    def __init__(self, app: ASGIApp, *, trusted_proxies: Sequence[str]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                forwarded_allow_ips=list(trusted_proxies),
                timeout_graceful_shutdown=GRACE_S,
                backlog=BACKLOG,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @contextlib.asynccontextmanager
    async def running(self, listener: socket.socket) -> AsyncIterator["asyncio.Task[None]"]:
        """Serve on ``listener`` until the block ends. Yields the task, which ends early if the server fails."""
        task = asyncio.create_task(self.serve(sockets=[listener]))
        try:
            while not self.started and not task.done():
                await asyncio.sleep(0.01)
            yield task
        finally:
            self.should_exit = True
            await task
