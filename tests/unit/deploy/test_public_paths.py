"""The caches' allow-lists against the origin's routes: a new route is either for viewers or not."""

import re
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts

from tests.lab.memory_store import MemoryStore
from tests.unit.origin.whole import whole_origin

DOCKER = Path(__file__).parents[3] / "docker"
FOR_VIEWERS = {
    "/api/v1/cmcd",
    "/api/v1/watch/{stream}",
    "/favicon.ico",
    "/healthz",
    "/static/{digest}/{path:path}",
    "/time",
    "/time/{stream}/{broadcast}",
    "/watch/{stream}",
    "/watch/{stream}/",
}
NGINX = (DOCKER / "nginx.conf").read_text()
VARNISH = (DOCKER / "varnish.vcl").read_text()


def nginx_allows(path: str) -> bool:
    allowed = re.findall(r'^        "~(\^/.*)" +1;$', NGINX, re.MULTILINE)
    assert len(allowed) == 2
    return any(re.search(pattern, path) for pattern in allowed)


def varnish_allows(path: str) -> bool:
    allowed = re.findall(r'req\.url (?:!~|==) "([^"]+)"', VARNISH[: VARNISH.index("return (synth(405))")])
    assert len(allowed) == 3
    return any(re.search(pattern, path) for pattern in allowed)


@pytest.fixture(scope="module")
def routes() -> set[str]:
    app = whole_origin(MemoryStore())
    return {str(context.path) for context in iter_route_contexts(app.routes)}


def test_viewers_reach_their_routes_and_no_others(routes: set[str]) -> None:
    assert routes >= FOR_VIEWERS | {"/", "/metrics", "/readyz", "/api/v1/streams"}
    assert {route for route in routes if nginx_allows(route)} == FOR_VIEWERS
    assert {route for route in routes if varnish_allows(route)} == FOR_VIEWERS
    # Media are no routes: a middleware answers for them.
    assert nginx_allows("/live/a/master.m3u8") and varnish_allows("/live/a/master.m3u8")
