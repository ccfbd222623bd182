"""Everything under /live/, requested over ASGI while the test feeds the broadcast."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from live.window_track import Position
from origin.answers import LiveMedia
from origin.cors import PlayerCors
from origin.delivery import Delivery
from origin.hot import SHARED, SharedRequest
from origin.live import LiveWindows
from origin.playback import PlaybackGate, PlaybackSecret
from storage.coalesce import CoalescingReader
from storage.interface import StoreUnavailable
from tests.lab.waiting import run_until_idle
from tests.unit.worker.test_recorder import BROADCAST, PREFIX, STREAM, Bench
from worker.recorder import RecorderOptions

IMMUTABLE = "public, max-age=31536000, immutable"
NOW = 1_700_000_100.0


class Origin:
    def __init__(self, options: RecorderOptions | None = None) -> None:
        self.bench = Bench(options, announce=False)
        self.served: list[tuple[str, int, int]] = []
        self.private: set[str] = set()
        self.deleted: set[tuple[str, str]] = set()
        self.secret = PlaybackSecret(self.bench.store, lambda: NOW)
        self.now = NOW
        self.join()
        self.bench.announce()

    def join(self) -> None:
        """Serve from the messages that the bus delivers from now on."""
        self.windows = LiveWindows(self.bench.bus)
        reader = CoalescingReader(self.bench.store, missing_s=0)
        app = FastAPI()
        app.add_middleware(
            LiveMedia,
            delivery=Delivery(self.windows, reader, lambda: NOW, is_deleted=self.is_deleted),
            gate=PlaybackGate(self.secret.keys, self.is_private, clock=lambda: self.now),
            on_served=lambda resource, status, size: self.served.append((resource, status, size)),
        )
        app.add_middleware(PlayerCors, origins=("*",))
        self.app = app
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://origin")

    def stored(self, name: str) -> bytes:
        return self.bench.store.objects[f"{PREFIX}/{name}"].body

    async def is_deleted(self, stream: str, broadcast: str) -> bool:
        return (stream, broadcast) in self.deleted

    async def is_private(self, stream: str) -> bool:
        return stream in self.private

    async def share(self, name: str) -> SharedRequest:
        """A shared request for ``name`` after its answer."""
        shared = SharedRequest((name.encode(), False), 0)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await self.app({**scope, SHARED: shared}, receive, send)

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://origin") as client:
            await client.get(name if name.startswith("/") else f"/{PREFIX}/{name}")
        return shared

    async def get(self, name: str, **headers: str) -> httpx.Response:
        path = name if name.startswith("/") else f"/{PREFIX}/{name}"
        return await self.client.get(path, headers={key.replace("_", "-"): value for key, value in headers.items()})


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    origin = Origin()
    await origin.bench.feed(7)
    yield origin
    await origin.bench.end()
    await origin.client.aclose()


async def test_media_allow_only_get_head_and_options(origin: Origin) -> None:
    refused = await origin.client.post(f"/{PREFIX}/master.m3u8")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert refused.headers["cache-control"] == "no-store"
    options = await origin.client.options(f"/{PREFIX}/master.m3u8")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


async def test_other_paths_are_left_to_the_routes(origin: Origin) -> None:
    assert (await origin.client.get("/livestock")).json() == {"detail": "Not Found"}
    assert origin.served == []


@pytest.mark.parametrize(
    ("name", "media_type", "caching"),
    [
        ("master.m3u8", "application/vnd.apple.mpegurl", "public, max-age=1"),
        (f"/live/{STREAM}/master.m3u8", "application/vnd.apple.mpegurl", "public, max-age=1"),
        ("manifest.mpd", "application/dash+xml", "public, max-age=1"),
        ("vsource/media.m3u8", "application/vnd.apple.mpegurl", "public, max-age=1"),
        ("vsource/init-0.mp4", "video/mp4", IMMUTABLE),
        ("vsource/2.m4s", "video/iso.segment", IMMUTABLE),
        ("vsource/2.2.m4s", "video/iso.segment", IMMUTABLE),
    ],
)
async def test_media_and_playlists_have_their_type_and_caching(
    origin: Origin, name: str, media_type: str, caching: str
) -> None:
    response = await origin.get(name)
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    assert response.headers["cache-control"] == caching
    assert response.headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in response.headers
    assert response.headers.get("vary", "Accept-Encoding") == "Accept-Encoding"
    again = await origin.get(name, If_None_Match=response.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == response.headers["etag"]


@pytest.mark.parametrize("name", ["vsource/1.m4s", "vsource/1.1.m4s", "vsource/init-0.mp4"])
async def test_media_may_be_repeated_for_ever(origin: Origin, name: str) -> None:
    shared = await origin.share(name)
    assert (shared.body, shared.resource) == ((await origin.get(name)).content, origin.served[-1][0])
    await origin.bench.feed(2)
    assert shared.is_current is not None and shared.is_current()


@pytest.mark.parametrize("name", ["vsource/media.m3u8", "master.m3u8", "manifest.mpd"])
async def test_texts_may_be_repeated_until_they_change(origin: Origin, name: str) -> None:
    shared = await origin.share(name)
    assert shared.is_current is not None and shared.is_current()
    await origin.bench.feed(2)
    assert not shared.is_current()


@pytest.mark.parametrize("name", ["vsource/99.m4s", "vsource/nothing.m3u8"])
async def test_an_error_is_not_repeated(origin: Origin, name: str) -> None:
    shared = await origin.share(name)
    assert shared.body is not None and shared.is_current is None


async def test_missing_objects_are_404(origin: Origin) -> None:
    for name in ("vsource/10.m4s", "vsource/4.5.m4s", "v480p/1.m4s", "vsource/init-7.mp4", "nothing/media.m3u8"):
        response = await origin.get(name)
        assert response.status_code == 404, name
        assert response.headers["cache-control"] == "public, max-age=1"
    assert (await origin.get("/live/other/master.m3u8")).status_code == 404
    assert (await origin.get("/live/studio/..%2f..%2fcatalogue")).status_code == 404


async def test_ranges_and_head(origin: Origin) -> None:
    whole = await origin.get("vsource/2.m4s")
    part = await origin.get("vsource/2.m4s", Range="bytes=10-19")
    assert part.status_code == 206
    assert part.content == whole.content[10:20]
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    beyond = await origin.get("vsource/2.m4s", Range="bytes=999999999-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole.content)}")
    other = await origin.get("vsource/2.m4s", Range="bytes=10-19", If_Range='"other"')
    assert other.content == whole.content
    head = await origin.client.head(f"/{PREFIX}/vsource/2.m4s")
    assert int(head.headers["content-length"]) == len(whole.content)
    assert head.headers["accept-ranges"] == "bytes"


async def test_a_segment_is_the_same_from_memory_and_from_the_store(origin: Origin) -> None:
    live = {n: await origin.get(f"vsource/{n}.m4s") for n in range(1, 4)}
    await origin.bench.feed(14)
    assert origin.windows.find(STREAM, BROADCAST) is not None
    assert origin.bench.window.media("vsource", 1) is None
    for n, before in live.items():
        after = await origin.get(f"vsource/{n}.m4s")
        assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])


async def test_parts_are_available_as_long_as_their_segment(origin: Origin) -> None:
    """hls.js on a slow machine requests parts that left the playlist a while ago."""
    window = origin.bench.window
    counts = {msn: len(window.tracks["vsource"].parts_of(msn)) for msn in (1, 2, 3)}
    names = [f"vsource/{msn}.{index}.m4s" for msn, count in counts.items() for index in range(count)]
    live = {name: (await origin.get(name)).content for name in names}
    await origin.bench.feed(14)
    assert window.part("vsource", Position(1, 0)) is None
    for name, data in live.items():
        old = await origin.get(name)
        assert (old.status_code, old.content, old.headers["cache-control"]) == (200, data, IMMUTABLE)
    assert (await origin.get("vsource/1.9.m4s")).content == (await origin.get("vsource/2.0.m4s")).content
    await origin.bench.end()
    for name, data in live.items():
        assert (await origin.get(name)).content == data
    assert (await origin.get("vsource/1.9.m4s")).status_code == 410


async def test_a_part_of_a_damaged_stored_segment_is_gone(origin: Origin) -> None:
    await origin.bench.feed(14)
    await origin.bench.store.put(f"{PREFIX}/vsource/1.m4s", b"damaged")
    assert (await origin.get("vsource/1.0.m4s")).status_code == 410


async def test_after_the_end_the_store_answers(origin: Origin) -> None:
    await origin.bench.end()
    assert origin.windows.find(STREAM, BROADCAST) is None
    assert "#EXT-X-ENDLIST" in (await origin.get("vsource/media.m3u8")).text
    assert f"{BROADCAST}/vsource/recording.m3u8" in (await origin.get(f"/live/{STREAM}/master.m3u8")).text
    recording = await origin.get("vsource/recording.m3u8")
    assert "#EXT-X-MEDIA-SEQUENCE:0" in recording.text
    assert recording.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert (await origin.get("vsource/99.m4s")).status_code == 404
    assert (await origin.get("vsource/99.0.m4s")).status_code == 410


async def test_segments_before_the_dvr_window_are_gone() -> None:
    origin = Origin(RecorderOptions(playlist_window_ms=6000, dvr_ms=8000))
    await origin.bench.feed(21)
    await origin.bench.feed(10)
    assert (await origin.get("vsource/1.m4s")).status_code == 410
    assert (await origin.get("vsource/1.0.m4s")).status_code == 410
    await origin.bench.end()
    assert (await origin.get("vsource/2.m4s")).status_code == 410


async def test_requests_wait_for_a_broadcast_that_has_just_begun() -> None:
    origin = Origin()
    await origin.bench.feed(1)
    waiting = asyncio.ensure_future(origin.get("master.m3u8"))
    await run_until_idle()
    assert not waiting.done()
    await origin.bench.feed(3)
    assert (await waiting).status_code == 200
    await origin.bench.end()


async def test_simultaneous_requests_share_one_store_read(origin: Origin) -> None:
    await origin.bench.feed(14)
    origin.bench.store.calls.clear()
    answers = await asyncio.gather(*(origin.get("vsource/1.m4s") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert origin.bench.store.keys_of("get") == [f"{PREFIX}/vsource/1.m4s"]


async def test_a_store_that_is_down_is_503(origin: Origin) -> None:
    await origin.bench.feed(14)
    origin.bench.store.failing = StoreUnavailable("down")
    response = await origin.get("vsource/1.m4s")
    assert response.status_code == 503
    assert response.headers["cache-control"] == "no-store"
    newest = origin.bench.window.tracks["vsource"].entries[-1].msn
    assert (await origin.get(f"vsource/{newest}.m4s")).status_code == 200
    origin.bench.store.failing = None


async def test_answers_are_counted(origin: Origin) -> None:
    response = await origin.get("vsource/2.m4s")
    await origin.get("vsource/99.m4s")
    assert origin.served[0] == ("segment", 200, len(response.content))
    assert origin.served[1][:2] == ("segment", 404)


async def test_what_is_missing_of_a_deleted_broadcast_is_gone_in_words(origin: Origin) -> None:
    other = f"/live/{STREAM}/20261101t000000z-aaaaaa"
    names = ("master.m3u8", "manifest.mpd", "vsource/recording.m3u8", "vsource/1.m4s", "vsource/1.2.m4s")
    for name in names:
        assert (await origin.get(f"{other}/{name}")).status_code == 404
    origin.deleted.add((STREAM, "20261101t000000z-aaaaaa"))
    for name in names:
        answer = await origin.get(f"{other}/{name}")
        assert (answer.status_code, answer.text) == (410, "gone: this recording was deleted\n"), name
        assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert (await origin.get("vsource/1.m4s")).status_code == 200
