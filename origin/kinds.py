"""Counts the answers of the application's routes by kind. :mod:`origin.answers` counts those of media itself."""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from origin.prefix import route_path

EXACT = {
    "/": "page",
    "/api/v1/cmcd": "report",
    "/api/v1/docs": "page",
    "/favicon.ico": "static",
    "/healthz": "health",
    "/metrics": "metrics",
    "/readyz": "health",
    "/time": "clock",
}
# The first that fits counts.
PREFIXES = (
    ("/watch/", "page"),
    ("/static/", "static"),
    ("/api/v1/watch/", "status"),
    ("/api/v1/playback/", "status"),
    ("/api/", "api"),
    ("/time/", "clock"),
)
UNKNOWN = "unknown"


def kind_of(path: str) -> str:
    return EXACT.get(path) or next((kind for prefix, kind in PREFIXES if path.startswith(prefix)), UNKNOWN)


class CountedRoutes:
    """An ASGI middleware. ``on_served`` gets the kind, the status and the size of each answer."""

    def __init__(self, app: ASGIApp, *, on_served: Callable[[str, int, int], None]) -> None:
        self._app = app
        self._on_served = on_served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # An exception becomes a 500 in the middleware around this one.
        status, size = 500, 0

        async def counted_send(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, counted_send)
        finally:
            self._on_served(kind_of(route_path(scope)), status, size)
