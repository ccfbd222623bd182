"""Runs uvicorn in an existing event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from control.hot_protocol import HotHttpProtocol
from control.http_limits import HttpConnections
from control.listening import BACKLOG
from origin.hot import HotAnswers, SharedAnswers

GRACE_S = 3


class HttpServer(uvicorn.Server):
    """A uvicorn server that does not handle signals. ``connections`` has its limits, ``hot`` the answers that it
    repeats. The scope that ``around`` gets
    has the address of the connection, and that of ``app`` the client's, as trusted proxies name it."""

    def __init__(
        self,
        app: ASGIApp,
        connections: HttpConnections,
        hot: HotAnswers,
        *,
        trusted_proxies: Sequence[str],
        around: Callable[[ASGIApp], ASGIApp] = lambda app: app,
    ) -> None:
        # uvicorn only calls it, so it need not be a class.
        protocol = cast(type[asyncio.Protocol], partial(HotHttpProtocol, connections=connections, hot=hot))
        shared = cast(Any, SharedAnswers(app, hot))
        behind = ProxyHeadersMiddleware(shared, trusted_hosts=list(trusted_proxies))
        super().__init__(
            uvicorn.Config(
                around(cast(ASGIApp, behind)),
                http=protocol,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
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
