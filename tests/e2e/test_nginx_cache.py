"""docker/nginx.conf, run by a real nginx before a small origin that counts."""

import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from storage.content import IMMUTABLE, SHORT
from tests.s3server import free_port

CONFIGURATION = Path(__file__).parents[2] / "docker" / "nginx.conf"
NGINX = shutil.which("nginx", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin")
PATIENCE_S = 10.0

TRACK = "/live/a/b/v720p"
PLAYLIST = f"{TRACK}/media.m3u8"

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


class Origin(ThreadingHTTPServer):
    """Answers as Headwater's origin does. ``status`` overrides a path's; while ``hold`` is clear, answers wait."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: Counter[str] = Counter()
        self.headers_of: dict[str, dict[str, str]] = {}
        self.status: dict[str, int] = {}
        self.version = 0
        self.gone = False
        self.hold = threading.Event()
        self.hold.set()
        self.lock = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """nginx closes what it no longer needs."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Origin
    caching: ClassVar[dict[str, str]] = {"m4s": IMMUTABLE, "mp4": IMMUTABLE, "js": IMMUTABLE, "m3u8": SHORT}

    def do_GET(self) -> None:
        origin, path = self.server, self.path.partition("?")[0]
        with origin.lock:
            origin.requests[self.path] += 1
            origin.headers_of[self.path] = {name.lower(): value for name, value in self.headers.items()}
            status, version = origin.status.get(path, 200), origin.version
        origin.hold.wait(PATIENCE_S)
        if origin.gone:
            self.close_connection = True
            return
        extension = path.rpartition(".")[2]
        body = f"{path} {version}".encode() * 100 if status == 200 else b"no"
        caching = self.caching.get(extension, "no-cache") if status == 200 else "no-store"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "public, max-age=1" if status == 404 else caching)
        self.send_header("Content-Type", "application/vnd.apple.mpegurl" if extension == "m3u8" else "video/mp4")
        if self.headers.get("Origin"):
            self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.hold.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def configuration(origin: Origin, tmp_path: Path) -> Path:
    """The file as it is, but for its places: host names, ports and paths."""
    text = CONFIGURATION.read_text()
    for theirs, ours in (
        ("server headwater:8080;", f"server 127.0.0.1:{origin.server_port};"),
        ("listen 8080;", f"listen 127.0.0.1:{free_port()};"),
        ("worker_processes auto;", "worker_processes 1;"),
        (" /tmp/", f" {tmp_path}/"),
        ("/var/cache/nginx/", f"{tmp_path}/"),
    ):
        assert theirs in text
        text = text.replace(theirs, ours)
    path = tmp_path / "nginx.conf"
    path.write_text(text)
    return path


@pytest.fixture
def cache(configuration: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    log = tmp_path / "log"
    with open(log, "wb") as output:
        process = subprocess.Popen(command(configuration), stdout=output, stderr=subprocess.STDOUT)
    port = configuration.read_text().partition("listen 127.0.0.1:")[2].partition(";")[0]
    try:
        limits = httpx.Limits(max_connections=None)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=PATIENCE_S) as client:
            eventually(lambda: process.poll() is not None or answers(client))
            assert process.poll() is None, log.read_text()
            yield client
    finally:
        process.terminate()
        process.wait()


def command(configuration: Path, *arguments: str) -> list[str]:
    assert NGINX is not None
    # As root, nginx would give its files to a user that cannot enter the test's directory.
    user = "user root;" if Path.home() == Path("/root") else ""
    return [
        NGINX,
        "-p",
        str(configuration.parent),
        "-c",
        str(configuration),
        "-g",
        f"daemon off; {user}",
        *arguments,
    ]


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/metrics").status_code == 404
    except httpx.TransportError:
        return False


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def all_at_once(client: httpx.Client, path: str, count: int) -> list[httpx.Response]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(client.get, [path] * count))


def test_nginx_takes_the_file(configuration: Path) -> None:
    checked = subprocess.run(command(configuration, "-t"), capture_output=True, text=True, check=False)
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
    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(cache.get, path) for _ in range(5)]
        eventually(lambda: origin.requests[path] == 5)
        released = time.monotonic()
        origin.hold.set()
        assert {each.result().status_code for each in waiting} == {200}
    assert time.monotonic() - released < 0.4


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
    assert cache.get(f"{TRACK}/2.m4s").status_code == (200 if trouble == "503" else 502)


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
