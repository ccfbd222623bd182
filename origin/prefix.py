"""Serves the application below a path, as the ASGI specification defines ``root_path``.

The path is that of ``[http] public_url``. A proxy in front may strip it from the requests or pass it on: both are
accepted, because no route of the application begins with it.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

# The first parts of the application's own paths. A prefix that begins with one of them would be ambiguous.
RESERVED = frozenset(
    ("api", "events", "favicon.ico", "feed", "healthz", "live", "metrics", "readyz", "static", "time", "watch")
)


class PathPrefix:
    """An ASGI middleware. ``prefix`` begins with a slash and ends without one. All scopes that it passes on have
    ``prefix`` as ``root_path``, and a ``path`` that begins with it."""

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            prefix, path = self._prefix, scope["path"]
            if path == prefix:
                path += "/"
            elif not path.startswith(f"{prefix}/"):
                path = prefix + path
            scope = {**scope, "path": path, "root_path": prefix}
        await self._app(scope, receive, send)


def route_path(scope: Scope) -> str:
    """The path after the prefix."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if root else path
