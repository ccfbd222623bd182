"""What viewers can reach through the caches: the paths of an allow-list, however a path is written."""

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.caches.running import FRONTS, raw_get, running_cache, viewers_of, with_nginx
from tests.lab.front import Front
from tests.lab.server import Server, serving

HIDDEN = [
    "/metrics",
    "/metrics?a=b",
    "/metrics/",
    "/%6detrics",
    "/%6D%65%74rics",
    "/metrics%3F",
    "//metrics",
    "/./metrics",
    "/live/../metrics",
    "/live/%2e%2e/metrics",
    "/live/..%2fmetrics",
    "/static/../%6detrics",
    "/watch/a/../../metrics",
    "/metrics/../live/a/master.m3u8",
    "http://a/metrics",
    "/",
    "/readyz",
    "/api/v1/streams",
    "/api/v1/openapi.json",
    "/api/v1/watch/../streams",
    "/api/v1/%73treams",
    "/api/v1/playback/a/x",
    "/static/../api/v1/version",
    "/LIVE/a/master.m3u8",
]
SHOWN = ["/watch/a", "/time", "/time/a/20261121t104105z-ab12cd", "/favicon.ico", "/healthz"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module", params=FRONTS)
def cache(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    with running_cache(request.param, server.http_port, tmp_path_factory.mktemp("cache")) as running:
        yield running


@pytest.mark.parametrize("target", HIDDEN)
def test_the_rest_is_hidden_however_it_is_written(cache: Front, target: str) -> None:
    assert raw_get(cache, target) in (400, 404)


@pytest.mark.parametrize("path", SHOWN)
def test_viewers_get_what_they_need(cache: Front, path: str) -> None:
    with viewers_of(cache) as viewer:
        assert viewer.get(path, follow_redirects=True).status_code == 200


@pytest.mark.parametrize("path", ["/live/a/master.m3u8", "/api/v1/watch/a"])
def test_the_origin_answers_for_streams(cache: Front, path: str) -> None:
    with viewers_of(cache) as viewer:
        answer = viewer.get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith(("text/plain; charset=utf-8", "application/problem+json"))


def test_players_report_how_playback_is(cache: Front) -> None:
    with viewers_of(cache) as viewer:
        assert viewer.post("/api/v1/cmcd", content="x").status_code == 204
        assert viewer.post("/api/v1/cmcd?quiet=1", content="x").status_code == 204
        assert viewer.get("/api/v1/cmcd?CMCD=x").status_code == 204
        assert viewer.post("/api/v1/cmcd/x", content="x").status_code == 404
        assert viewer.put("/api/v1/cmcd", content="x").status_code == 405


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_viewers_can_only_read(cache: Front, method: str) -> None:
    with viewers_of(cache) as viewer:
        assert viewer.request(method, "/live/a/master.m3u8").status_code == 405


@with_nginx
def test_operators_have_a_port_of_their_own(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_cache("nginx", server.http_port, tmp_path_factory.mktemp("operators")) as front:
        base = f"http://127.0.0.1:{front.operators}"
        assert "headwater_" in httpx.get(f"{base}/metrics").text
        assert httpx.get(f"{base}/").status_code == 200
        token = (server.data / "api-token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{base}/api/v1/streams", headers=headers).status_code == 200
