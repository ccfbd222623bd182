"""The methods of a resource: OPTIONS and 405 (RFC 9110, 9.3.7, 10.2.1 and 15.5.6)."""

from collections.abc import Iterable, Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def methods_of(routes: Sequence[BaseRoute], scope: Scope) -> list[str]:
    """The methods with a route for the path of ``scope``. A path may have a route for each of its methods."""
    return [
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def allow(methods: Iterable[str]) -> str:
    """The field Allow: ``methods`` and OPTIONS, which every resource answers."""
    return ", ".join((*methods, "OPTIONS"))


def options_answer(methods: Iterable[str]) -> Response:
    return Response(status_code=204, headers={"Allow": allow(methods), "Cache-Control": "no-store"})
