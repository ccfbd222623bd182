"""CORS (Fetch, 3.2) for everything that a player in another origin's page fetches."""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from origin.prefix import route_path

PATHS = ("/live/", "/time", "/api/v1/watch/")
EXPOSED = ("Content-Length", "Content-Range", "Date", "ETag")
# For caches: the origins of all pages that may read the answer, separated by spaces.
ALLOWED_ORIGINS = "X-Allowed-Origins"


class PlayerCors:
    """An ASGI middleware: Starlette's, for the paths of players alone. ``origins`` are those of their pages, or
    ``*``."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        self._app = app
        kind = AnyOrigin if "*" in origins else ListedOrigins
        self._shared = kind(
            app,
            allow_origins=list(origins),
            allow_methods=["GET", "HEAD", "OPTIONS"],
            allow_headers=["Range"],
            expose_headers=list(EXPOSED),
            max_age=86400,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_players = scope["type"] == "http" and route_path(scope).startswith(PATHS)
        await (self._shared if is_players else self._app)(scope, receive, send)


class AnyOrigin(CORSMiddleware):
    """Adds the same headers to every answer, also to a request without an Origin, because caches keep one answer
    for all. Starlette adds ``Vary: Origin``, with which they would keep one for each page."""

    async def send(self, message: Message, send: Send, request_headers: Headers) -> None:
        if message["type"] == "http.response.start":
            headers = [(name.lower().encode(), value.encode()) for name, value in self.simple_headers.items()]
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)


class ListedOrigins(CORSMiddleware):
    """If a request has no Origin, the answer names all allowed ones. A cache can then ask without an Origin, keep
    one answer for all, and add ``Access-Control-Allow-Origin`` for each viewer, as those of ``docker/`` do."""

    async def send(self, message: Message, send: Send, request_headers: Headers) -> None:
        if message["type"] == "http.response.start" and "origin" not in request_headers:
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            headers.update(self.simple_headers)
            headers[ALLOWED_ORIGINS] = " ".join(self.allow_origins)
        await super().send(message, send, request_headers)
