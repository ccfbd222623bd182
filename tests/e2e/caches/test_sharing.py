"""The caches of ``docker/``, run by the real programs in front of a small origin that counts requests: Varnish
alone, and nginx with Varnish behind it."""

import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from storage.content import IMMUTABLE
from tests.e2e.caches.counting_origin import PATIENCE_S, PLAYLIST, TRACK, Origin, all_at_once
from tests.e2e.caches.running import raw_get, running_cache, viewers_of, with_nginx
from tests.lab.daemon import nginx_command
from tests.lab.front import DOCKER, nginx, nginx_configuration
from tests.lab.waiting import until

HELD = (f"{PLAYLIST}?_HLS_msn=9&_HLS_part=2", f"{TRACK}/9.2.m4s", f"{TRACK}/9.m4s")


# Seconds. nginx's own lock looks every half second whether the answer is there.
AT_ONCE_S = 0.3
ROUNDS = 4


def answered_in(cache: httpx.Client, origin: Origin, path: str, count: int) -> float:
    """The time from the origin's answer to the last of ``count`` equal requests that wait for it."""
    origin.hold.clear()
    with ThreadPoolExecutor(count) as pool:
        waiting = [pool.submit(cache.get, path) for _ in range(count)]
        until(lambda: origin.requests[path] == 1)
        time.sleep(0.3)
        released = time.monotonic()
        origin.hold.set()
        answers = [each.result() for each in waiting]
    took = time.monotonic() - released
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert origin.requests[path] == 1
    return took


def fastest(cache: httpx.Client, origin: Origin, path: str, count: int) -> float:
    """Of some rounds, each for another object: other tests run at the same time."""
    return min(answered_in(cache, origin, path.replace("9", str(90 + turn)), count) for turn in range(ROUNDS))


@pytest.mark.parametrize("path", HELD)
def test_waiting_requests_share_one_request_and_are_answered_at_once(
    cache: httpx.Client, origin: Origin, path: str
) -> None:
    assert fastest(cache, origin, path, 30) < AT_ONCE_S


@pytest.mark.parametrize("status", [400, 404, 503])
def test_waiting_requests_share_a_refusal_which_is_not_cached(
    cache: httpx.Client, origin: Origin, status: int
) -> None:
    path = HELD[0]
    origin.status[PLAYLIST] = status
    origin.hold.clear()
    threading.Timer(0.3, origin.hold.set).start()
    answers = all_at_once(cache, path, 20)
    assert {answer.status_code for answer in answers} == {status}
    assert origin.requests[path] == 1
    del origin.status[PLAYLIST]
    until(lambda: cache.get(path).status_code == 200)


def test_a_growing_segment_is_streamed_as_it_grows(front: str, tmp_path: Path) -> None:
    chunks = [b"a" * 1000, b"b" * 1000]
    resume = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=send_in_chunks, args=(listener, chunks, resume))
        server.start()
        url = f"{TRACK}/7.m4s"
        with running_cache(front, listener.getsockname()[1], tmp_path) as running, ThreadPoolExecutor(2) as pool:
            first = [threading.Event(), threading.Event()]
            reading = [pool.submit(read_in_chunks, f"http://127.0.0.1:{running.port}{url}", seen) for seen in first]
            assert all(seen.wait(PATIENCE_S) for seen in first)
            resume.set()
            assert {each.result() for each in reading} == {b"".join(chunks)}
        server.join()


def send_in_chunks(listener: socket.socket, chunks: list[bytes], resume: threading.Event) -> None:
    """Answer the first request for a segment; answer all others with 404."""
    sent = False
    while not sent:
        connection, _ = listener.accept()
        with connection:
            request = connection.recv(4096)
            if b".m4s" not in request:
                connection.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                continue
            sent = True
            head = f"HTTP/1.1 200 OK\r\nCache-Control: {IMMUTABLE}\r\nTransfer-Encoding: chunked\r\n\r\n"
            connection.sendall(head.encode())
            for chunk in chunks:
                connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                resume.wait(PATIENCE_S)
            connection.sendall(b"0\r\n\r\n")


def read_in_chunks(url: str, seen: threading.Event) -> bytes:
    body = b""
    with httpx.stream("GET", url, timeout=PATIENCE_S) as response:
        for chunk in response.iter_raw():
            body += chunk
            seen.set()
    return body


@pytest.mark.parametrize("path", [f"{TRACK}/1.m4s", f"{TRACK}/1.3.m4s", f"{TRACK}/init-0.mp4", "/static/0f/hls.js"])
def test_an_immutable_object_is_requested_once(cache: httpx.Client, origin: Origin, path: str) -> None:
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


def test_playlists_are_cached_by_their_delivery_directives(cache: httpx.Client, origin: Origin) -> None:
    queries = ["", "?_HLS_skip=YES", "?_HLS_msn=4", "?_HLS_msn=4&_HLS_part=1", "?_HLS_msn=4&_HLS_skip=YES"]
    for query in queries:
        cache.get(PLAYLIST + query)
        cache.get(PLAYLIST + query + ("&" if query else "?") + "CMCD=x")
    cache.get(f"{PLAYLIST}?_HLS_part=1&_HLS_msn=4")
    assert origin.requests == {PLAYLIST + query: 1 for query in queries}


def test_a_playlist_is_refreshed_within_a_few_seconds(cache: httpx.Client, origin: Origin) -> None:
    first = cache.get(PLAYLIST)
    assert cache.get(PLAYLIST).content == first.content
    origin.version = 1
    changed = time.monotonic()
    until(lambda: cache.get(PLAYLIST).content != first.content)
    assert time.monotonic() - changed < 3
    assert origin.requests[PLAYLIST] <= 3


@pytest.mark.parametrize("trouble", ["503", "dead"])
def test_cached_objects_are_served_while_the_origin_fails(
    cache: httpx.Client, origin: Origin, trouble: str
) -> None:
    segment = f"{TRACK}/1.m4s"
    before = [cache.get(PLAYLIST).content, cache.get(segment).content]
    if trouble == "503":
        origin.status[PLAYLIST] = origin.status[segment] = 503
    else:
        origin.dead = True
        origin.server_close()
    since = time.monotonic()
    while time.monotonic() - since < 2.5:
        assert [cache.get(PLAYLIST).content, cache.get(segment).content] == before
        time.sleep(0.1)
    assert cache.get(f"{TRACK}/2.m4s").status_code == (200 if trouble == "503" else 503)


def test_requests_with_a_viewer_token_are_not_cached(cache: httpx.Client, origin: Origin) -> None:
    for _ in range(2):
        cache.get("/live/a/master.m3u8?token=secret")
    assert origin.requests["/live/a/master.m3u8?token=secret"] == 2


@pytest.mark.parametrize("path", ["/watch/a", "/api/v1/watch/a", "/time"])
def test_the_watch_page_and_its_answers_are_not_cached(cache: httpx.Client, origin: Origin, path: str) -> None:
    for _ in range(2):
        assert cache.get(path).status_code == 200
    assert origin.requests[path] == 2


def test_a_cached_answer_does_not_depend_on_the_requesting_client(cache: httpx.Client, origin: Origin) -> None:
    native = cache.get(f"{TRACK}/1.m4s", headers={"Cookie": "session=1"})
    page = cache.get(f"{TRACK}/1.m4s", headers={"Origin": "https://page.example"})
    assert origin.requests.total() == 1
    assert "cookie" not in origin.headers_of[f"{TRACK}/1.m4s"]
    for response in (native, page):
        assert response.headers.get_list("Access-Control-Allow-Origin") == ["*"]


def test_a_missing_object_is_cached_briefly(cache: httpx.Client, origin: Origin) -> None:
    origin.status[PLAYLIST] = 404
    for _ in range(5):
        assert cache.get(PLAYLIST).status_code == 404
    assert origin.requests[PLAYLIST] <= 2
    del origin.status[PLAYLIST]
    since = time.monotonic()
    until(lambda: cache.get(PLAYLIST).status_code == 200)
    assert time.monotonic() - since < 3


@with_nginx
def test_nginx_accepts_the_configuration(tmp_path: Path) -> None:
    configuration = nginx_configuration(tmp_path, "127.0.0.1:8081", "127.0.0.1:8082")
    command = [*nginx_command(tmp_path, configuration), "-t"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr


@with_nginx
def test_nginx_compresses_playlists(origin: Origin, tmp_path: Path) -> None:
    with running_cache("nginx", origin.server_port, tmp_path) as running, viewers_of(running) as cache:
        assert cache.get(PLAYLIST, headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in cache.get(f"{TRACK}/1.m4s").headers


@with_nginx
def test_without_varnish_each_segment_request_goes_to_the_origin(origin: Origin, tmp_path: Path) -> None:
    address, unused = f"127.0.0.1:{origin.server_port}", "127.0.0.1:1"
    with nginx(nginx_configuration(tmp_path, address, unused)) as front:
        for _ in range(3):
            for media in ("1.m4s", "1.0.m4s"):
                assert httpx.get(f"http://127.0.0.1:{front.port}{TRACK}/{media}").status_code == 200
    assert origin.requests == {f"{TRACK}/1.m4s": 3, f"{TRACK}/1.0.m4s": 1}


@with_nginx
@pytest.mark.parametrize("path", HELD[:2])
def test_the_processes_of_nginx_share_one_request(origin: Origin, tmp_path: Path, path: str) -> None:
    with running_cache("nginx", origin.server_port, tmp_path, workers=4) as running, viewers_of(running) as cache:
        assert fastest(cache, origin, path, 40) < AT_ONCE_S


@with_nginx
def test_beyond_the_bound_of_shared_requests_each_viewer_is_still_answered(origin: Origin, tmp_path: Path) -> None:
    module, bound = (DOCKER / "coalesce.lua").read_text(), "MOST_FLIGHTS = 4000"
    assert bound in module
    (tmp_path / "coalesce.lua").write_text(module.replace(bound, "MOST_FLIGHTS = 1"))
    configuration = nginx_configuration(tmp_path, f"127.0.0.1:{origin.server_port}", "127.0.0.1:1", workers=1)
    configuration.write_text(configuration.read_text().replace(f"{DOCKER}/?.lua", f"{tmp_path}/?.lua"))
    parts = [f"{TRACK}/9.{number}.m4s" for number in range(4)]
    with nginx(configuration) as front, viewers_of(front) as cache, ThreadPoolExecutor(4) as pool:
        for _ in range(2):
            origin.hold.clear()
            waiting = [pool.submit(cache.get, path) for path in parts]
            until(lambda: all(origin.requests[path] for path in parts))
            origin.hold.set()
            assert {each.result().status_code for each in waiting} == {200}
    assert origin.requests.total() == len(parts)


@pytest.mark.parametrize("path", HELD[:2])
def test_the_first_of_the_waiting_clients_may_disconnect(cache: httpx.Client, origin: Origin, path: str) -> None:
    origin.hold.clear()
    with ThreadPoolExecutor(10) as pool:
        with pytest.raises(httpx.ReadTimeout):
            cache.get(path, timeout=0.2)
        waiting = [pool.submit(cache.get, path) for _ in range(10)]
        time.sleep(0.2)
        origin.hold.set()
        assert {each.result().status_code for each in waiting} == {200}
    assert origin.requests[path] == 1


def test_waiting_requests_fail_if_the_origin_dies(cache: httpx.Client, origin: Origin) -> None:
    path = HELD[0]
    origin.hold.clear()
    with ThreadPoolExecutor(10) as pool:
        waiting = [pool.submit(cache.get, path) for _ in range(10)]
        until(lambda: origin.requests[path] == 1)
        origin.dead = True
        origin.server_close()
        origin.hold.set()
        assert {each.result().status_code for each in waiting} <= {502, 503}


def test_playlists_are_uncompressed_for_clients_without_gzip(cache: httpx.Client, origin: Origin) -> None:
    path = HELD[0]
    packed = cache.get(path, headers={"Accept-Encoding": "gzip, br"})
    plain = cache.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.content == plain.content
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize(
    ("real", "crooked"),
    [
        ("/live/a/master.m3u8", "/live/a/./master.m3u8"),
        ("/live/a/master.m3u8", "/live/a//master.m3u8"),
        ("/live/a/master.m3u8", "/live/b/../a/master.m3u8"),
        ("/live/a/master.m3u8", "/live/a/master%2Em3u8"),
        (f"{TRACK}/init-0.mp4", "/live/a/b/./v720p/init-0.mp4"),
        (f"{TRACK}/1.3.m4s", "/live/a/b/v720p/./1.3.m4s"),
        (f"{TRACK}/1.3.m4s", "/live/a/b/v720p/1%2E3.m4s"),
        (f"{TRACK}/1.m4s", "/live/a/b/v720p/./1.m4s"),
        (f"{PLAYLIST}?_HLS_msn=4", "/live/a/b/./v720p/media.m3u8?_HLS_msn=4"),
        ("/static/0f/hls.js", "/static/0f/./hls.js"),
    ],
)
def test_a_crooked_path_cannot_replace_the_answer_for_the_real_one(
    front: str, origin: Origin, tmp_path: Path, real: str, crooked: str
) -> None:
    origin.status[crooked.partition("?")[0]] = 404
    with running_cache(front, origin.server_port, tmp_path) as running, viewers_of(running) as cache:
        assert raw_get(running, crooked) in (200, 404)
        for _ in range(10):
            assert cache.get(real, headers={"Accept-Encoding": "identity"}).status_code == 200
            raw_get(running, crooked)


@pytest.mark.parametrize(
    "query",
    [
        "%5FHLS_msn=9",
        "_hls_msn=9",
        "_HLS_msn=4&_HLS_msn=9",
        "_HLS_msn=4&%5FHLS_msn=9",
        "_HLS_skip=YES&_HLS_skip=no",
    ],
)
def test_the_origin_is_asked_for_exactly_what_the_cache_stores(
    front: str, origin: Origin, tmp_path: Path, query: str
) -> None:
    with running_cache(front, origin.server_port, tmp_path) as running:
        assert raw_get(running, f"{PLAYLIST}?{query}") == 200
        asked = [path for path in origin.requests if path.startswith(PLAYLIST)]
        assert len(asked) == 1
        names = [name for pair in asked[0].partition("?")[2].split("&") if (name := pair.partition("=")[0])]
        assert len(names) == len(set(names))
        assert set(names) <= {"_HLS_msn", "_HLS_part", "_HLS_skip"}
        with viewers_of(running) as cache:
            cache.get(asked[0], headers={"Accept-Encoding": "identity"})
        assert origin.requests[asked[0]] == 1
