"""A private stream behind the caches of docker/: real nginx and Varnish in front of a real origin whose requests
are counted."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from cluster.memory import MemoryState
from live.bus import Bus
from origin.answers import LiveMedia
from origin.api import ApiServices, api_router, install_problem_handlers
from origin.delivery import Delivery
from origin.live import LiveWindows
from origin.playback import PlaybackGate, PlaybackSecret, ViewerToken, make_path_token, sign_viewer_token
from storage.catalogue import Catalogue
from storage.catalogue.records import StreamSettings
from storage.coalesce import CoalescingReader
from tests.e2e.counting_origin import PATIENCE_S
from tests.lab.front import has_nginx, nginx, nginx_configuration, varnish_front
from tests.lab.memory_store import MemoryStore
from tests.lab.ports import free_port
from tests.lab.waiting import until
from tests.unit.cluster.joining import node

BROADCAST = "20261121t104105z-ab12cd"
PREFIX = f"live/a/{BROADCAST}"
BUCKET_S = 3600
OBJECTS = {
    f"{PREFIX}/master.m3u8": b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv720p/media.m3u8\n",
    f"{PREFIX}/v720p/media.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n1.m4s\n#EXT-X-ENDLIST\n",
    f"{PREFIX}/v720p/init-0.mp4": b"init" * 100,
    f"{PREFIX}/v720p/1.m4s": b"segment" * 1000,
}

pytestmark = pytest.mark.skipif(not has_nginx(), reason="nginx, its Lua module or varnish is not installed")


class Origin:
    """An origin with one private broadcast in its store. ``now`` is its clock; ``requests`` counts paths."""

    def __init__(self) -> None:
        self.now = time.time()
        self.requests: Counter[str] = Counter()
        self.port = free_port()
        store = MemoryStore()
        catalogue = Catalogue(store)
        secret = PlaybackSecret(store, lambda: self.now)
        asyncio.run(self._fill(store, catalogue))
        self.keys = asyncio.run(secret.keys())
        app = FastAPI()
        install_problem_handlers(app)
        gate = PlaybackGate(secret.keys, catalogue.is_private, clock=lambda: self.now, bucket_s=BUCKET_S)
        delivery = Delivery(LiveWindows(Bus()), CoalescingReader(store), lambda: self.now)
        app.add_middleware(LiveMedia, delivery=delivery, gate=gate, on_served=lambda *served: None)
        app.include_router(
            api_router(
                ApiServices(
                    cluster=MemoryState().join(node("a")),
                    catalogue=catalogue,
                    token="t",
                    rtmp_url="",
                    public_url="",
                    playback_keys=secret.keys,
                    clock=lambda: self.now,
                )
            )
        )

        async def counting(scope: Scope, receive: Receive, send: Send) -> None:
            self.requests[scope["path"]] += 1
            await app(scope, receive, send)

        self.server = uvicorn.Server(
            uvicorn.Config(counting, port=self.port, lifespan="off", log_config=None, access_log=False, ws="none")
        )

    async def _fill(self, store: MemoryStore, catalogue: Catalogue) -> None:
        await catalogue.create_stream("a", StreamSettings(private=True), now=self.now)
        for key, body in OBJECTS.items():
            await store.put(key, body)

    def viewer_token(self, address: str | None = None) -> str:
        return sign_viewer_token(ViewerToken("a", int(self.now) + 600, address), self.keys)

    def path_token(self, *, buckets_ago: int = 0) -> str:
        return make_path_token(self.keys, "a", now=self.now - buckets_ago * BUCKET_S, bucket_s=BUCKET_S)


@pytest.fixture
def origin() -> Iterator[Origin]:
    origin = Origin()
    thread = threading.Thread(target=origin.server.run)
    thread.start()
    until(lambda: origin.server.started)
    yield origin
    origin.server.should_exit = True
    thread.join()


@pytest.fixture
def cache(origin: Origin, tmp_path: Path) -> Iterator[httpx.Client]:
    address = f"127.0.0.1:{origin.port}"
    with varnish_front(tmp_path, address) as behind:
        configuration = nginx_configuration(tmp_path, address, f"127.0.0.1:{behind.port}")
        configuration.write_text(configuration.read_text().replace("/dev/stdout", f"{tmp_path}/access.log"))
        with (
            nginx(configuration) as front,
            httpx.Client(base_url=f"http://127.0.0.1:{front.port}", timeout=PATIENCE_S) as client,
        ):
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


def test_viewers_with_different_tokens_share_one_path_token(cache: httpx.Client, origin: Origin) -> None:
    for number in range(5):
        origin.now += number
        assert (
            play(cache, origin.viewer_token("127.0.0.1" if number % 2 else None))
            == OBJECTS[f"{PREFIX}/v720p/1.m4s"]
        )
    assert origin.requests[f"/{PREFIX}/master.m3u8"] == 5
    assert origin.requests[f"/api/v1/playback/a/{origin.path_token()}"] == 1
    assert origin.requests[f"/live/a~{origin.path_token()}/{BROADCAST}/v720p/1.m4s"] == 1


def test_viewers_with_path_tokens_of_two_buckets_share_the_cache(cache: httpx.Client, origin: Origin) -> None:
    for buckets_ago in (1, 0):
        path = f"/live/a~{origin.path_token(buckets_ago=buckets_ago)}/{BROADCAST}/v720p/init-0.mp4"
        answers = [cache.get(path) for _ in range(3)]
        assert {answer.content for answer in answers} == {OBJECTS[f"{PREFIX}/v720p/init-0.mp4"]}
    assert sum(count for path, count in origin.requests.items() if path.endswith("init-0.mp4")) == 1


@pytest.mark.parametrize("name", ["master.m3u8", "v720p/media.m3u8", "v720p/init-0.mp4", "v720p/1.m4s"])
def test_cached_objects_need_a_valid_path_token(cache: httpx.Client, origin: Origin, name: str) -> None:
    """Even if the object is cached, an expired, a forged and a missing path token are refused."""
    valid = origin.path_token()
    assert cache.get(f"/live/a~{valid}/{BROADCAST}/{name}").status_code == 200
    for token in (origin.path_token(buckets_ago=2), f"{valid[:-1]}!", valid[:-4] + "AAAA", "x"):
        refused = cache.get(f"/live/a~{token}/{BROADCAST}/{name}")
        assert (refused.status_code, refused.headers["cache-control"]) == (403, "no-store")
        assert refused.headers["access-control-allow-origin"] == "*"
        assert "open its link again" in refused.text
    assert cache.get(f"/live/a%7E{valid}/{BROADCAST}/{name}").status_code == 200
    assert cache.get(f"/live/a%7Ex/{BROADCAST}/{name}").status_code == 403
    assert cache.get(f"/live/a/{BROADCAST}/{name}").status_code == 403
    assert cache.get(f"/live/a~/{BROADCAST}/{name}").status_code == 403


def test_refusals_are_not_cached(cache: httpx.Client, origin: Origin) -> None:
    address = f"/{PREFIX}/master.m3u8"
    assert cache.get(address).status_code == 403
    assert cache.get(f"{address}?token=x").status_code == 403
    assert cache.get(f"{address}?token={origin.viewer_token()}").status_code == 302
    assert cache.get(f"{address}?token={origin.viewer_token('203.0.113.7')}").status_code == 403
    assert cache.get(address).status_code == 403


@pytest.mark.parametrize("name", ["1.0.m4s", "media.m3u8?_HLS_msn=1", "media.m3u8?_HLS_msn=1&_HLS_part=0"])
def test_a_refused_viewer_does_not_wait(cache: httpx.Client, origin: Origin, name: str) -> None:
    track = f"{BROADCAST}/v720p"
    assert cache.get(f"/live/a~x/{track}/{name}").status_code == 403
    assert not any(name.partition("?")[0] in path for path in origin.requests)


def test_a_range_of_a_segment_is_cached(cache: httpx.Client, origin: Origin) -> None:
    path = f"/live/a~{origin.path_token()}/{BROADCAST}/v720p/init-0.mp4"
    whole = cache.get(path).content
    part = cache.get(path, headers={"Range": "bytes=10-19", "If-None-Match": '"x"'})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert cache.head(path).headers["content-length"] == str(len(whole))


def test_the_access_log_has_no_token(cache: httpx.Client, origin: Origin, tmp_path: Path) -> None:
    play(cache, origin.viewer_token())
    log = tmp_path / "access.log"
    until(lambda: "1.m4s" in log.read_text())
    assert f"GET /live/a~/{BROADCAST}/v720p/1.m4s 200" in log.read_text()
    assert origin.path_token() not in log.read_text()
    assert "token=" not in log.read_text()
