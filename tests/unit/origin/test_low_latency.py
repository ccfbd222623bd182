"""Low-latency HLS over ASGI, frame by frame: which requests wait, when they are answered, and their caching."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from live.window_track import Position
from origin import delivery, live
from packager import hls
from packager.facts import LowLatency
from tests.lab.waiting import run_until_idle
from tests.unit.origin.test_delivery import IMMUTABLE, Origin
from tests.unit.packager.recording import frame
from tests.unit.worker.test_recorder import BROADCAST, PREFIX, STREAM
from worker.recorder import RecorderOptions

SNAPSHOT = "public, max-age=3600"
NOW_ONLY = "public, max-age=1"
PLAYLIST = "vsource/media.m3u8"
# After this many frames two segments are complete, and the third has three parts of ten frames.
FRAMES = 150


class LiveOrigin(Origin):
    """An origin of a low-latency broadcast that is fed frame by frame; a segment is 60 frames, a part ten."""

    def __init__(self, options: RecorderOptions | None = None, *, low_latency: bool = True) -> None:
        super().__init__(options)
        if low_latency:
            self.bench.recorder.ledger.low_latency = LowLatency(333_334)
        self._frames = 0

    def advance(self, count: int) -> None:
        """Add ``count`` frames within one iteration of the event loop."""
        for place in range(self._frames, self._frames + count):
            self.bench.add(frame(place * 3000, key=place % 60 == 0))
        self._frames += count

    def ask(self, name: str, **headers: str) -> asyncio.Task[httpx.Response]:
        return asyncio.ensure_future(self.get(name, **headers))

    @property
    def live_playlist(self) -> str:
        return (self.bench.window.playlist("vsource") or b"").decode()


@pytest.fixture
async def origin() -> AsyncIterator[LiveOrigin]:
    origin = LiveOrigin()
    origin.advance(FRAMES)
    await run_until_idle()
    yield origin
    await origin.bench.end()
    await origin.client.aclose()


@pytest.fixture
def short_hold_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_hold_timeout", lambda window: 0.02)


@dataclass
class Exchange:
    """One request to the application, and the messages that the application has sent so far."""

    path: str
    query: str = ""
    method: str = "GET"
    version: str = "1.1"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    sent: list[MutableMapping[str, Any]] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, app: Callable[..., Any]) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": self.version,
            "method": self.method,
            "scheme": "http",
            "path": f"/{PREFIX}/{self.path}",
            "raw_path": f"/{PREFIX}/{self.path}".encode(),
            "query_string": self.query.encode(),
            "root_path": "",
            "headers": list(self.headers),
            "client": ("127.0.0.1", 1),
            "server": ("origin", 80),
        }
        await app(scope, self._receive, self._send)

    async def _receive(self) -> MutableMapping[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def header(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def chunks(self) -> list[bytes]:
        return [message["body"] for message in self.sent[1:] if message["body"]]

    @property
    def complete(self) -> bool:
        return len(self.sent) > 1 and not self.sent[-1].get("more_body", False)


async def test_a_blocking_reload_is_answered_when_its_part_arrives(origin: LiveOrigin) -> None:
    held = origin.ask(f"{PLAYLIST}?_HLS_msn=3&_HLS_part=3")
    origin.advance(9)
    await run_until_idle()
    assert not held.done()
    origin.advance(1)
    for _ in range(5):
        await asyncio.sleep(0)
    assert held.done()
    answer = held.result()
    assert answer.status_code == 200
    assert answer.text.count("3.3.m4s") == 1 and 'PRELOAD-HINT:TYPE=PART,URI="3.4.m4s"' in answer.text
    assert answer.headers["cache-control"] == SNAPSHOT


async def test_a_reload_without_a_part_waits_for_the_whole_segment(origin: LiveOrigin) -> None:
    held = origin.ask(f"{PLAYLIST}?_HLS_msn=3")
    origin.advance(30)
    await run_until_idle()
    assert not held.done()
    origin.advance(1)
    assert "\n3.m4s\n" in (await held).text


@pytest.mark.parametrize("query", ["_HLS_msn=2", "_HLS_msn=3&_HLS_part=2", "_HLS_msn=2&_HLS_part=5"])
async def test_a_reached_position_is_answered_at_once_and_does_not_change(origin: LiveOrigin, query: str) -> None:
    first = await asyncio.wait_for(origin.get(f"{PLAYLIST}?{query}"), 0.5)
    origin.advance(45)
    await run_until_idle()
    again = await origin.get(f"{PLAYLIST}?{query}")
    assert (first.status_code, again.content) == (200, first.content)
    assert again.headers["etag"] == first.headers["etag"]
    assert first.headers["cache-control"] == again.headers["cache-control"] == SNAPSHOT


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("_HLS_part=3", "_HLS_msn"),
        ("_HLS_msn=x", "whole number"),
        ("_HLS_msn=5", "too far ahead"),
        ("_HLS_msn=5&_HLS_part=0", "too far ahead"),
        ("_HLS_msn=3&_HLS_part=40", "too far ahead"),
    ],
)
async def test_a_position_too_far_ahead_is_refused_at_once(origin: LiveOrigin, query: str, words: str) -> None:
    answer = await asyncio.wait_for(origin.get(f"{PLAYLIST}?{query}"), 0.5)
    assert answer.status_code == 400 and words in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.usefixtures("short_hold_timeout")
@pytest.mark.parametrize("name", [f"{PLAYLIST}?_HLS_msn=3&_HLS_part=3", "vsource/3.3.m4s", "vsource/4.m4s"])
async def test_a_request_held_too_long_is_503_and_never_404(origin: LiveOrigin, name: str) -> None:
    answer = await origin.get(name)
    assert answer.status_code == 503
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["retry-after"] == "1"


async def test_requests_are_held_for_three_segments(origin: LiveOrigin) -> None:
    """6.2.5.2: a request is held for at most three target durations."""
    assert delivery._hold_timeout(origin.bench.window) == 6


async def test_unknown_directives_are_ignored(origin: LiveOrigin) -> None:
    plain = await origin.get(PLAYLIST)
    answer = await origin.get(f"{PLAYLIST}?_HLS_push=2&_HLS_report=/x&session=7")
    assert (answer.status_code, answer.content) == (200, plain.content)
    assert answer.headers["cache-control"] == NOW_ONLY


async def test_a_delta_update_skips_old_segments(origin: LiveOrigin) -> None:
    origin.advance(450)
    await run_until_idle()
    whole, delta = await origin.get(PLAYLIST), await origin.get(f"{PLAYLIST}?_HLS_skip=YES")
    full, short = hls.parse_media(whole.text), hls.parse_media(delta.text)
    assert short.skipped_segments > 0
    assert full.segments[short.skipped_segments :] == short.segments
    assert delta.headers["cache-control"] == NOW_ONLY
    held = await origin.get(f"{PLAYLIST}?_HLS_msn=9&_HLS_part=2&_HLS_skip=YES")
    assert "#EXT-X-SKIP" in held.text and held.headers["cache-control"] == SNAPSHOT


@pytest.mark.parametrize(
    ("name", "caching"),
    [
        (PLAYLIST, NOW_ONLY),
        (f"{PLAYLIST}?_HLS_skip=YES", NOW_ONLY),
        (f"{PLAYLIST}?_HLS_msn=3&_HLS_part=1", SNAPSHOT),
        ("vsource/3.1.m4s", IMMUTABLE),
        ("vsource/2.m4s", IMMUTABLE),
        ("asource/3.0.m4s", IMMUTABLE),
    ],
)
async def test_caching_of_shared_answers(origin: LiveOrigin, name: str, caching: str) -> None:
    answer = await origin.get(name)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == caching
    assert answer.headers.get("vary", "Accept-Encoding") == "Accept-Encoding"
    assert "set-cookie" not in answer.headers


async def test_a_position_before_the_window_gets_the_current_playlist_with_short_caching() -> None:
    origin = LiveOrigin(RecorderOptions(playlist_window_ms=6000))
    origin.advance(630)
    await run_until_idle()
    old = await origin.get(f"{PLAYLIST}?_HLS_msn=2&_HLS_part=2")
    assert old.content == (await origin.get(PLAYLIST)).content
    assert old.headers["cache-control"] == NOW_ONLY
    assert (await origin.get("vsource/2.7.m4s")).status_code == 410
    await origin.bench.end()


async def test_a_request_for_a_hinted_part_waits(origin: LiveOrigin) -> None:
    hint = hls.parse_media(origin.live_playlist).preload_hint
    assert hint is not None and hint.uri == "3.3.m4s"
    held = origin.ask("vsource/3.3.m4s")
    await run_until_idle()
    assert not held.done()
    origin.advance(10)
    answer = await held
    assert (answer.status_code, answer.content) == (200, origin.bench.window.part("vsource", Position(3, 3)))
    assert answer.headers["cache-control"] == IMMUTABLE


async def test_a_part_past_the_end_of_its_segment_is_the_first_of_the_next(origin: LiveOrigin) -> None:
    """The hint expected a longer segment, and Shaka gives up if a hinted part does not exist."""
    held = origin.ask("vsource/3.6.m4s")
    origin.advance(30)
    await run_until_idle()
    assert not held.done()
    origin.advance(10)
    answer = await held
    assert (answer.status_code, answer.content) == (200, origin.bench.window.part("vsource", Position(4, 0)))


async def test_joined_parts_are_the_segment(origin: LiveOrigin) -> None:
    parts = [(await origin.get(f"vsource/2.{index}.m4s")).content for index in range(6)]
    assert b"".join(parts) == (await origin.get("vsource/2.m4s")).content


async def test_the_end_of_the_broadcast_answers_all_waiting_requests(origin: LiveOrigin) -> None:
    names = [
        f"{PLAYLIST}?_HLS_msn=3&_HLS_part=5",
        f"{PLAYLIST}?_HLS_msn=4",
        "asource/media.m3u8?_HLS_msn=4&_HLS_part=1",
    ]
    held = [origin.ask(name) for name in names]
    part = origin.ask("vsource/4.0.m4s")
    await run_until_idle()
    assert not any(task.done() for task in held)
    await origin.bench.end()
    for answer in await asyncio.gather(*held):
        assert answer.status_code == 200 and "#EXT-X-ENDLIST" in answer.text
        assert answer.headers["cache-control"] == NOW_ONLY
    assert (await part).status_code in (404, 410)
    late = await origin.get(f"{PLAYLIST}?_HLS_msn=400&_HLS_part=3")
    assert late.status_code == 200 and "#EXT-X-ENDLIST" in late.text


async def test_listed_parts_are_served_after_the_end(origin: LiveOrigin, monkeypatch: pytest.MonkeyPatch) -> None:
    """A player may request the last ones after the end: they are in memory for a while, then in the store."""
    monkeypatch.setattr(live, "LINGER_S", 0.02)
    data = origin.bench.window.part("vsource", Position(3, 2))
    await origin.bench.end()
    assert origin.windows.find(STREAM, BROADCAST) is None
    answer = await origin.get("vsource/3.2.m4s")
    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["cache-control"] == IMMUTABLE
    assert (await origin.get("vsource/3.9.m4s")).status_code == 410
    await asyncio.sleep(0.05)
    assert origin.windows.just_closed(STREAM, BROADCAST) is None
    assert (await origin.get("vsource/3.2.m4s")).content == data


async def test_without_low_latency_no_request_waits_and_directives_are_ignored() -> None:
    origin = LiveOrigin(low_latency=False)
    origin.advance(FRAMES)
    await run_until_idle()
    plain = await origin.get(PLAYLIST)
    for query in ("_HLS_msn=3&_HLS_part=3", "_HLS_msn=400", "_HLS_skip=YES"):
        answer = await asyncio.wait_for(origin.get(f"{PLAYLIST}?{query}"), 0.5)
        assert (answer.status_code, answer.content) == (200, plain.content)
        assert answer.headers["cache-control"] == NOW_ONLY
    assert (await asyncio.wait_for(origin.get("vsource/3.3.m4s"), 0.5)).status_code == 404
    assert (await asyncio.wait_for(origin.get("vsource/3.m4s"), 0.5)).status_code == 404
    await origin.bench.end()


async def test_a_thousand_waiting_requests_cost_one_rendering_and_one_compression(
    origin: LiveOrigin, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"render": 0, "compress": 0}
    render, compress = hls.render_media, gzip.compress

    def rendering(playlist: hls.MediaPlaylist) -> str:
        counts["render"] += 1
        return render(playlist)

    def compressing(data: bytes, level: int = 9, *, mtime: float | None = None) -> bytes:
        counts["compress"] += 1
        return compress(data, level, mtime=mtime)

    query, encoding = "_HLS_msn=3&_HLS_part=3", ((b"accept-encoding", b"gzip"),)
    exchanges = [Exchange(PLAYLIST, query, headers=encoding) for _ in range(1000)]
    held = [asyncio.ensure_future(exchange.run(origin.app)) for exchange in exchanges]
    await run_until_idle()
    monkeypatch.setattr(hls, "render_media", rendering)
    monkeypatch.setattr(gzip, "compress", compressing)
    origin.advance(10)
    await asyncio.gather(*held)
    assert counts == {"render": 1, "compress": 1}
    assert {exchange.status for exchange in exchanges} == {200}
    (body,) = {b"".join(exchange.chunks) for exchange in exchanges}
    assert b"3.3.m4s" in gzip.decompress(body)


async def test_head_waits_and_has_the_headers_of_get(origin: LiveOrigin) -> None:
    held = asyncio.ensure_future(origin.client.head(f"/{PREFIX}/{PLAYLIST}?_HLS_msn=3&_HLS_part=3"))
    await run_until_idle()
    assert not held.done()
    origin.advance(10)
    head, whole = await held, await origin.get(f"{PLAYLIST}?_HLS_msn=3&_HLS_part=3")
    for name in ("etag", "cache-control", "content-type", "vary", "content-length"):
        assert head.headers[name] == whole.headers[name]


async def test_a_growing_segment_is_sent_chunk_by_chunk(origin: LiveOrigin) -> None:
    exchange = Exchange("vsource/3.m4s")
    running = asyncio.ensure_future(exchange.run(origin.app))
    await run_until_idle()
    assert exchange.status == 200 and exchange.header["cache-control"] == IMMUTABLE
    assert "content-length" not in exchange.header
    assert exchange.chunks == [origin.bench.window.part("vsource", Position(3, index)) for index in range(3)]
    for index in range(3, 6):
        origin.advance(10)
        await run_until_idle()
        assert exchange.chunks[-1] == origin.bench.window.part("vsource", Position(3, index))
        assert len(exchange.chunks) == index + 1 and not exchange.complete
    origin.advance(1)
    await running
    assert exchange.complete
    assert b"".join(exchange.chunks) == origin.bench.window.media("vsource", 3)
    assert origin.served[-1] == ("segment", 200, sum(map(len, exchange.chunks)))


async def test_a_client_without_chunks_gets_the_segment_when_it_is_complete(origin: LiveOrigin) -> None:
    exchange = Exchange("vsource/3.m4s", version="1.0")
    running = asyncio.ensure_future(exchange.run(origin.app))
    await run_until_idle()
    assert not exchange.sent
    origin.advance(31)
    await running
    data = origin.bench.window.media("vsource", 3)
    assert data is not None
    assert exchange.header["content-length"] == str(len(data))
    assert exchange.complete and b"".join(exchange.chunks) == data


@pytest.mark.usefixtures("short_hold_timeout")
async def test_a_client_without_chunks_gets_no_interrupted_segment(origin: LiveOrigin) -> None:
    exchange = Exchange("vsource/3.m4s", version="1.0")
    await exchange.run(origin.app)
    assert exchange.status == 404 and exchange.complete


async def test_a_request_for_the_next_segment_waits(origin: LiveOrigin) -> None:
    held = origin.ask("vsource/4.m4s")
    origin.advance(30)
    await run_until_idle()
    assert not held.done()
    origin.advance(61)
    assert (await held).content == origin.bench.window.media("vsource", 4)


@pytest.mark.usefixtures("short_hold_timeout")
async def test_an_interrupted_segment_does_not_end_as_a_complete_response(origin: LiveOrigin) -> None:
    """A cache would keep the complete response for a year."""
    exchange = Exchange("vsource/3.m4s")
    await exchange.run(origin.app)
    assert len(exchange.chunks) == 3 and not exchange.complete


async def test_head_of_a_growing_segment_waits_only_for_its_start(origin: LiveOrigin) -> None:
    exchange = Exchange("vsource/3.m4s", method="HEAD")
    await asyncio.wait_for(exchange.run(origin.app), 0.5)
    assert exchange.status == 200 and exchange.chunks == [] and exchange.complete


async def test_a_viewer_that_disconnects_leaves_no_waiting_request(origin: LiveOrigin) -> None:
    before = asyncio.all_tasks()
    growing = Exchange("vsource/3.m4s")
    running = asyncio.ensure_future(growing.run(origin.app))
    await run_until_idle()
    growing.gone.set()
    await asyncio.wait_for(running, 0.5)
    assert not growing.complete
    assert origin.served[-1] == ("segment", 200, sum(map(len, growing.chunks)))
    held = [asyncio.ensure_future(Exchange(PLAYLIST, "_HLS_msn=3&_HLS_part=3").run(origin.app)) for _ in range(50)]
    await run_until_idle()
    for task in held:
        task.cancel()
    await asyncio.gather(*held, return_exceptions=True)
    assert asyncio.all_tasks() == before
    assert set(origin.bench.window.tracks) == {"vsource", "asource"}
