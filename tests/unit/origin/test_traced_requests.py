"""Spans of requests to the origin: where the bytes came from, how long the request was held, and no secrets."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from media.peers import TrustedPeers
from origin.answers import LiveMedia
from origin.delivery import Delivery
from origin.kinds import CountedRoutes
from origin.live import LiveWindows
from origin.playback import PlaybackGate, PlaybackSecret
from origin.traced_requests import TracedRequests
from packager.facts import LowLatency
from storage.coalesce import CoalescingReader
from tests.lab.spans import Spans, attributes, ids
from tests.lab.waiting import run_until_idle
from tests.unit.worker.test_recorder import BROADCAST, PREFIX, STREAM, Bench

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{PARENT}-01"
PROXY, VIEWER = "10.0.0.5", "203.0.113.7"
NOW = 1_700_000_100.0


class Origin:
    """An origin whose requests come from ``peer``."""

    def __init__(self, sample: float = 1.0) -> None:
        self.bench = Bench(announce=False)
        self.spans = Spans(sample)
        tracing = self.spans.tracing
        self.secret = PlaybackSecret(self.bench.store, lambda: NOW)
        self.windows = LiveWindows(self.bench.bus)
        served = tracing.noting(lambda kind, status, size: None)
        app = FastAPI()
        app.add_middleware(CountedRoutes, on_served=served)
        app.add_middleware(
            LiveMedia,
            delivery=Delivery(
                self.windows, CoalescingReader(self.bench.store, missing_s=0), lambda: NOW, step=tracing.step
            ),
            gate=PlaybackGate(self.secret.keys, self.is_private, clock=lambda: NOW),
            on_served=served,
        )
        self.app = TracedRequests(app, tracing, TrustedPeers([PROXY]))
        self.bench.recorder.ledger.low_latency = LowLatency(part_target_us=333_334)
        self.bench.announce()

    async def is_private(self, stream: str) -> bool:
        return stream == "private"

    async def get(self, path: str, peer: str = VIEWER, **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, client=(peer, 4711), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
            return await client.get(path, headers=headers)

    @property
    def request(self) -> ReadableSpan:
        """The span of the only request."""
        (span,) = (span for span in self.spans.finished if span.name.startswith(("GET", "request ")))
        return span

    @property
    def steps(self) -> list[str]:
        """Those inside the only request."""
        outer = self.request.context.span_id
        return [span.name for span in self.spans.finished if span.parent and span.parent.span_id == outer]


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    origin = Origin()
    await origin.bench.feed(7)
    yield origin
    await origin.bench.end()


async def test_a_playlist_of_a_live_broadcast_comes_from_the_window(origin: Origin) -> None:
    answer = await origin.get(f"/{PREFIX}/vsource/media.m3u8")
    assert answer.status_code == 200
    assert origin.request.name == "request playlist" and origin.steps == ["window"]
    assert attributes(origin.request) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "kind": "playlist",
        "bytes": int(answer.headers["content-length"]),
        "source": "window",
        "stream": STREAM,
        "broadcast": BROADCAST,
        "track": "vsource",
    }


async def test_the_wait_of_a_held_request_is_the_step_of_the_window(origin: Origin) -> None:
    asking = asyncio.create_task(origin.get(f"/{PREFIX}/vsource/4.3.m4s"))
    await run_until_idle()
    assert not asking.done() and not origin.spans.finished
    await origin.bench.feed(2)
    await asking
    window, request = origin.spans.finished
    assert (window.name, request.name) == ("window", "request part")
    assert window.parent is not None and window.parent.span_id == request.context.span_id


async def test_what_the_window_does_not_have_comes_from_the_store(origin: Origin) -> None:
    origin.bench.store.objects["live/studio/20200101t000000z-abc123/vsource/7.m4s"] = origin.bench.store.objects[
        f"{PREFIX}/vsource/1.m4s"
    ]
    await origin.get("/live/studio/20200101t000000z-abc123/vsource/7.m4s")
    assert origin.steps == ["window", "store"]
    assert attributes(origin.request)["source"] == "store" and attributes(origin.request)["msn"] == 7


async def test_a_missing_object_is_a_status_and_no_fault(origin: Origin) -> None:
    answer = await origin.get("/live/studio/20200101t000000z-abc123/vsource/7.m4s")
    assert attributes(origin.request)["http.response.status_code"] == answer.status_code >= 400
    assert origin.request.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/live/private/~secret-token/master.m3u8?token=secret-query", "refused"),
        ("/live/private/master.m3u8?token=secret-query", "refused"),
        ("/live/secret path", "unknown"),
        ("/api/v1/streams/secret-stream?secret=1", "api"),
    ],
)
async def test_neither_path_nor_query_nor_address_is_in_a_span(origin: Origin, path: str, kind: str) -> None:
    await origin.get(path, authorization="Bearer secret", cookie="secret", referer="http://secret.example")
    text = "".join(span.to_json() for span in origin.spans.finished)
    assert "secret" not in text and VIEWER not in text and "origin/" not in text
    assert origin.request.name == f"request {kind}" or kind == "refused"


@pytest.mark.parametrize(("peer", "continues"), [(PROXY, True), (VIEWER, False)])
async def test_only_a_trusted_proxy_can_have_a_request_traced(peer: str, continues: bool) -> None:
    origin = Origin(0.0)
    await origin.get("/healthz", peer, traceparent=SAMPLED)
    assert [ids(span)[0] for span in origin.spans.finished] == ([TRACE] if continues else [])


async def test_a_viewers_traceparent_is_not_continued() -> None:
    origin = Origin(1.0)
    await origin.get("/healthz", VIEWER, traceparent=SAMPLED)
    assert ids(origin.request)[0] != TRACE and origin.request.parent is None
