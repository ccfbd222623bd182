"""A private stream behind nginx and Varnish of docker/."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from tests.e2e.caches.private_origin import BROADCAST, OBJECTS, PREFIX, PrivateOrigin, private_origin
from tests.e2e.caches.running import viewers_of, with_nginx
from tests.lab.front import nginx, nginx_configuration, varnish_front
from tests.lab.waiting import until

pytestmark = with_nginx


@pytest.fixture
def private() -> Iterator[tuple[PrivateOrigin, int]]:
    with private_origin() as running:
        yield running


@pytest.fixture
def origin(private: tuple[PrivateOrigin, int]) -> PrivateOrigin:
    return private[0]


@pytest.fixture
def cache(private: tuple[PrivateOrigin, int], tmp_path: Path) -> Iterator[httpx.Client]:
    origin, port = private
    address = f"127.0.0.1:{port}"
    with varnish_front(tmp_path, address) as behind:
        configuration = nginx_configuration(tmp_path, address, f"127.0.0.1:{behind.port}")
        configuration.write_text(configuration.read_text().replace("/dev/stdout", f"{tmp_path}/access.log"))
        with nginx(configuration) as front, viewers_of(front) as client:
            origin.requests.clear()
            yield client


def play(cache: httpx.Client, token: str) -> bytes:
    """Fetch as a player does: the multivariant playlist, its first media playlist, and the first segment of
    that."""
    address = f"/{PREFIX}/master.m3u8?token={token}"
    body = b""
    for _ in range(3):
        answer = cache.get(address, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        body = answer.content
        if address.endswith(".m4s"):
            return body
        reference = next(line for line in answer.text.splitlines() if line and not line.startswith("#"))
        address = urljoin(str(answer.url), reference)
    return body


def test_viewers_with_different_tokens_share_one_path_token(cache: httpx.Client, origin: PrivateOrigin) -> None:
    for number in range(5):
        origin.now += number
        assert (
            play(cache, origin.viewer_token("127.0.0.1" if number % 2 else None))
            == OBJECTS[f"{PREFIX}/v720p/1.m4s"]
        )
    assert origin.requests[f"/{PREFIX}/master.m3u8"] == 5
    assert origin.requests[f"/api/v1/playback/a/{origin.path_token()}"] == 1
    assert origin.requests[f"/live/a~{origin.path_token()}/{BROADCAST}/v720p/1.m4s"] == 1


def test_viewers_with_path_tokens_of_two_buckets_share_the_cache(
    cache: httpx.Client, origin: PrivateOrigin
) -> None:
    for buckets_ago in (1, 0):
        path = f"/live/a~{origin.path_token(buckets_ago=buckets_ago)}/{BROADCAST}/v720p/init-0.mp4"
        answers = [cache.get(path) for _ in range(3)]
        assert {answer.content for answer in answers} == {OBJECTS[f"{PREFIX}/v720p/init-0.mp4"]}
    assert sum(count for path, count in origin.requests.items() if path.endswith("init-0.mp4")) == 1


@pytest.mark.parametrize("name", ["master.m3u8", "v720p/media.m3u8", "v720p/init-0.mp4", "v720p/1.m4s"])
def test_cached_objects_need_a_valid_path_token(cache: httpx.Client, origin: PrivateOrigin, name: str) -> None:
    """Even if the object is cached, an expired, a forged and a missing path token are refused."""
    valid = origin.path_token()
    assert cache.get(f"/live/a~{valid}/{BROADCAST}/{name}").status_code == 200
    for token in (origin.path_token(buckets_ago=2), f"{valid[:-1]}!", valid[:-4] + "AAAA", "x"):
        refused = cache.get(f"/live/a~{token}/{BROADCAST}/{name}")
        assert (refused.status_code, refused.headers["cache-control"]) == (403, "no-store")
        assert refused.headers["access-control-allow-origin"] == "*"
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["code"] == "token-invalid"
        assert "open its link again" in refused.json()["detail"]
    assert cache.get(f"/live/a%7E{valid}/{BROADCAST}/{name}").status_code == 200
    assert cache.get(f"/live/a%7Ex/{BROADCAST}/{name}").status_code == 403
    assert cache.get(f"/live/a/{BROADCAST}/{name}").status_code == 403
    assert cache.get(f"/live/a~/{BROADCAST}/{name}").status_code == 403


def test_refusals_are_not_cached(cache: httpx.Client, origin: PrivateOrigin) -> None:
    address = f"/{PREFIX}/master.m3u8"
    assert cache.get(address).status_code == 403
    assert cache.get(f"{address}?token=x").status_code == 403
    assert cache.get(f"{address}?token={origin.viewer_token()}").status_code == 302
    assert cache.get(f"{address}?token={origin.viewer_token('203.0.113.7')}").status_code == 403
    assert cache.get(address).status_code == 403


@pytest.mark.parametrize("name", ["1.0.m4s", "media.m3u8?_HLS_msn=1", "media.m3u8?_HLS_msn=1&_HLS_part=0"])
def test_a_refused_viewer_does_not_wait(cache: httpx.Client, origin: PrivateOrigin, name: str) -> None:
    track = f"{BROADCAST}/v720p"
    assert cache.get(f"/live/a~x/{track}/{name}").status_code == 403
    assert not any(name.partition("?")[0] in path for path in origin.requests)


def test_a_range_of_a_segment_is_cached(cache: httpx.Client, origin: PrivateOrigin) -> None:
    path = f"/live/a~{origin.path_token()}/{BROADCAST}/v720p/init-0.mp4"
    whole = cache.get(path).content
    part = cache.get(path, headers={"Range": "bytes=10-19", "If-None-Match": '"x"'})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert cache.head(path).headers["content-length"] == str(len(whole))


def test_the_access_log_has_no_token(cache: httpx.Client, origin: PrivateOrigin, tmp_path: Path) -> None:
    play(cache, origin.viewer_token())
    log = tmp_path / "access.log"
    until(lambda: "1.m4s" in log.read_text())
    assert f"GET /live/a~/{BROADCAST}/v720p/1.m4s 200" in log.read_text()
    assert origin.path_token() not in log.read_text()
    assert "token=" not in log.read_text()
