"""docker/nginx.conf and docker/varnish.vcl together, run by the real ones before a small origin that counts."""

import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from storage.content import IMMUTABLE
from tests.caches import NGINX, VARNISH, nginx, nginx_command, nginx_configuration, varnish
from tests.e2e.counting_origin import (
    PATIENCE_S,
    PLAYLIST,
    TRACK,
    Origin,
    all_at_once,
    counting_origin,
    eventually,
)

pytestmark = pytest.mark.skipif(NGINX is None or VARNISH is None, reason="nginx or varnish is not installed")


@pytest.fixture
def origin() -> Iterator[Origin]:
    with counting_origin() as origin:
        yield origin


@pytest.fixture
def behind(origin: Origin, tmp_path: Path) -> Iterator[int]:
    """Varnish's port."""
    with varnish(tmp_path, origin.server_port) as port:
        yield port


@pytest.fixture
def cache(origin: Origin, behind: int, tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        nginx(nginx_configuration(tmp_path, origin.server_port, behind)) as port,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            limits=httpx.Limits(max_connections=None),
            timeout=PATIENCE_S,
        ) as client,
    ):
        origin.requests.clear()
        yield client


def test_nginx_takes_the_file(tmp_path: Path) -> None:
    configuration = nginx_configuration(tmp_path, 8081, 8082)
    checked = subprocess.run(nginx_command(configuration, "-t"), capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr


def test_many_who_ask_for_a_segment_at_once_cost_one_request(cache: httpx.Client, origin: Origin) -> None:
    origin.hold.clear()
    release = threading.Timer(0.3, origin.hold.set)
    release.start()
    responses = all_at_once(cache, f"{TRACK}/1.m4s", 20)
    release.join()
    assert {response.status_code for response in responses} == {200}
    assert len({response.content for response in responses}) == 1
    assert origin.requests[f"{TRACK}/1.m4s"] == 1


@pytest.mark.parametrize("path", [f"{TRACK}/1.m4s", f"{TRACK}/1.3.m4s", f"{TRACK}/init-0.mp4", "/static/0f/hls.js"])
def test_what_never_changes_is_asked_for_once(cache: httpx.Client, origin: Origin, path: str) -> None:
    first = cache.get(path)
    again = cache.get(f"{path}?CMCD=sid%3D%22{len(path)}%22", headers={"Cookie": "a=b"})
    part = cache.get(path, headers={"Range": "bytes=10-19"})
    head = cache.head(path)
    assert origin.requests.total() == 1
    assert first.content == again.content
    assert (part.status_code, part.content) == (206, first.content[10:20])
    assert head.headers["Content-Length"] == str(len(first.content))
    assert [each.headers["X-Cache"] for each in (first, again, part, head)] == ["MISS", "HIT", "HIT", "HIT"]
    assert again.headers["Cache-Control"] == IMMUTABLE


def test_nothing_of_the_asker_reaches_the_kept_answer(cache: httpx.Client, origin: Origin) -> None:
    native = cache.get(f"{TRACK}/1.m4s", headers={"Cookie": "session=1"})
    page = cache.get(f"{TRACK}/1.m4s", headers={"Origin": "https://page.example"})
    assert origin.requests.total() == 1
    assert "cookie" not in origin.headers_of[f"{TRACK}/1.m4s"]
    for response in (native, page):
        assert response.headers.get_list("Access-Control-Allow-Origin") == ["*"]


def test_a_playlist_is_fresh_within_a_second_or_so(cache: httpx.Client, origin: Origin) -> None:
    first = cache.get(PLAYLIST)
    assert cache.get(PLAYLIST).content == first.content
    origin.version = 1
    changed = time.monotonic()
    eventually(lambda: cache.get(PLAYLIST).content != first.content)
    assert time.monotonic() - changed < 3
    assert origin.requests[PLAYLIST] <= 3


def test_playlists_of_different_questions_are_different(cache: httpx.Client, origin: Origin) -> None:
    queries = ["", "?_HLS_skip=YES", "?_HLS_msn=4", "?_HLS_msn=4&_HLS_part=1", "?_HLS_msn=5"]
    for query in queries:
        cache.get(PLAYLIST + query)
        cache.get(PLAYLIST + query + ("&" if query else "?") + "CMCD=x")
    assert origin.requests == {PLAYLIST + query: 1 for query in queries}


def test_a_held_back_playlist_reaches_all_at_once_when_it_is_there(cache: httpx.Client, origin: Origin) -> None:
    path = f"{PLAYLIST}?_HLS_msn=9"
    origin.hold.clear()
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(cache.get, path) for _ in range(20)]
        eventually(lambda: origin.requests[path] == 1)
        time.sleep(0.3)
        released = time.monotonic()
        origin.hold.set()
        assert {each.result().status_code for each in waiting} == {200}
    assert time.monotonic() - released < 0.3
    assert origin.requests[path] == 1


@pytest.mark.parametrize("trouble", ["503", "gone"])
def test_while_the_origin_fails_what_was_kept_is_shown(cache: httpx.Client, origin: Origin, trouble: str) -> None:
    segment = f"{TRACK}/1.m4s"
    before = [cache.get(PLAYLIST).content, cache.get(segment).content]
    if trouble == "503":
        origin.status[PLAYLIST] = origin.status[segment] = 503
    else:
        origin.gone = True
        origin.server_close()
    eventually(lambda: cache.get(PLAYLIST).headers["X-Cache"] == "STALE")
    assert [cache.get(PLAYLIST).content, cache.get(segment).content] == before
    assert cache.get(f"{TRACK}/2.m4s").status_code == (200 if trouble == "503" else 503)


def test_what_is_missing_is_kept_shortly(cache: httpx.Client, origin: Origin) -> None:
    origin.status[PLAYLIST] = 404
    for _ in range(5):
        assert cache.get(PLAYLIST).status_code == 404
    assert origin.requests[PLAYLIST] <= 2
    del origin.status[PLAYLIST]
    since = time.monotonic()
    eventually(lambda: cache.get(PLAYLIST).status_code == 200)
    assert time.monotonic() - since < 3


def test_pages_and_the_api_pass_through(cache: httpx.Client, origin: Origin) -> None:
    for _ in range(2):
        cache.get("/api/v1/streams", headers={"Authorization": "Bearer t", "Cookie": "a=b"})
    assert origin.requests["/api/v1/streams"] == 2
    seen = origin.headers_of["/api/v1/streams"]
    assert (seen["authorization"], seen["cookie"]) == ("Bearer t", "a=b")
    assert seen["host"] == f"{cache.base_url.host}:{cache.base_url.port}"
    assert "origin" not in seen


def test_metrics_are_not_for_viewers(cache: httpx.Client, origin: Origin) -> None:
    assert cache.get("/metrics").status_code == 404
    assert origin.requests.total() == 0


def test_playlists_are_compressed(cache: httpx.Client, origin: Origin) -> None:
    assert cache.get(PLAYLIST, headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in cache.get(f"{TRACK}/1.m4s").headers


def test_without_varnish_the_origin_is_asked_by_each(origin: Origin, tmp_path: Path) -> None:
    nobody = 1
    with nginx(nginx_configuration(tmp_path, origin.server_port, nobody)) as port:
        for _ in range(3):
            assert httpx.get(f"http://127.0.0.1:{port}{TRACK}/1.0.m4s").status_code == 200
    assert origin.requests[f"{TRACK}/1.0.m4s"] == 3
