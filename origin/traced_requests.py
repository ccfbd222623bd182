"""Traces requests. The server has this middleware only if traces are configured.

It is the outermost one, because only there a request has the address of its connection: ``traceparent`` counts only
from a trusted proxy. A viewer could otherwise have every request traced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from media.peers import TrustedPeers

if TYPE_CHECKING:
    from telemetry.tracing import Tracing


class TracedRequests:
    """An ASGI middleware. ``trusted`` are the proxies whose ``traceparent`` counts."""

    def __init__(self, app: ASGIApp, tracing: Tracing, trusted: TrustedPeers) -> None:
        self._app = app
        self._tracing = tracing
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = (
            self._tracing.request(scope["method"], self._traceparent(scope)) if scope["type"] == "http" else None
        )
        if request is None:
            await self._app(scope, receive, send)
            return
        with request as span:

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.answered(message["status"])
                await send(message)

            await self._app(scope, receive, noted)

    def _traceparent(self, scope: Scope) -> str | None:
        for name, value in scope["headers"]:
            if name == b"traceparent":
                client = scope["client"]
                return value.decode("latin-1") if client is not None and client[0] in self._trusted else None
        return None
