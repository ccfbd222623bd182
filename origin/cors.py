"""CORS (Fetch, 3.2) for everything that a player in another origin's page fetches."""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from origin.prefix import route_path

PATHS = ("/live/", "/time", "/api/v1/watch/")
# Where players send reports, and the header fields that these may be in (CTA-5004-B). A player that sends them
# with its requests for media needs them there too.
REPORTS = "/api/v1/cmcd"
CMCD_FIELDS = ("CMCD-Object", "CMCD-Request", "CMCD-Session", "CMCD-Status")
EXPOSED = ("Content-Length", "Content-Range", "Date", "ETag")
# For caches: the origins of all pages that may read the answer, separated by spaces.
ALLOWED_ORIGINS = "X-Allowed-Origins"


class PlayerCors:
    """An ASGI middleware: Starlette's, for the paths of players alone. ``origins`` are those of their pages, or
    ``*``."""

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        self._app = app
        self._media = _shared(app, origins, ["GET", "HEAD", "OPTIONS"], ["Range", *CMCD_FIELDS])
        self._reports = _shared(app, origins, ["GET", "HEAD", "OPTIONS", "POST"], ["Content-Type", *CMCD_FIELDS])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app_for(scope)(scope, receive, send)

    def _app_for(self, scope: Scope) -> ASGIApp:
        path = route_path(scope) if scope["type"] == "http" else ""
        if path.startswith(PATHS):
            return self._media
        return self._reports if path == REPORTS else self._app


def _shared(app: ASGIApp, origins: Sequence[str], methods: list[str], headers: list[str]) -> CORSMiddleware:
    kind = AnyOrigin if "*" in origins else ListedOrigins
    return kind(
        app,
        allow_origins=list(origins),
        allow_methods=methods,
        allow_headers=headers,
        expose_headers=list(EXPOSED),
        max_age=86400,
    )


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
