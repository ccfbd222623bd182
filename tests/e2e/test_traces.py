"""Traces of a real server: a broadcast of ffmpeg, a viewer, a webhook, and a collector."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.collector import Collector, Sent, collecting
from tests.lab.hook_receiver import HookReceiver, receiving
from tests.lab.server import serving
from tests.lab.waiting import until

STREAM = "studio"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
LADDER = [{"height": 180, "bitrate": "200k"}]


@dataclass(frozen=True, slots=True)
class Run:
    """A broadcast, with a playlist that a proxy requests, and a part that is requested before it exists."""

    collector: Collector
    receiver: HookReceiver
    key: str
    token: str
    log: str
    broadcast: str

    def segments(self, track: str) -> list[Sent]:
        found = [span for span in self.collector.named("segment") if span.attributes["track"] == track]
        return sorted(found, key=lambda span: str(span.attributes["msn"]))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    directory = tmp_path_factory.mktemp("traces")
    clip = make_clip(Clip(6, size="320x240"), directory / "clip.flv")
    with collecting() as collector, receiving() as receiver:
        config = f"""
[hooks]
allow_private = true
[rtmp]
reconnect_window = "1s"
[log]
format = "json"
[tracing]
endpoint = "{collector.url}"
headers = {{ authorization = "Bearer of-the-collector" }}
sample = 1
service_name = "lab"
"""
        with serving(directory / "data", config=config) as server, httpx.Client(trust_env=False) as client:
            added = server.json("hooks", "add", receiver.url)
            receiver.secret = added["secret"]
            url = server.create(STREAM, ladder=LADDER)
            token = (server.data / "api-token").read_text().strip()
            with publishing(clip, url) as ffmpeg:
                master = f"{server.http}/live/{STREAM}/master.m3u8"
                text = until(lambda: _found(client, f"{master}?token=secret-token"), timeout=30)
                path = next(line for line in text.splitlines() if line.endswith("media.m3u8"))
                media = f"{server.http}/live/{STREAM}/{path}"
                assert server.cli("reload").returncode == 0
                traceparent = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
                playlist = client.get(media, headers=traceparent).text
                hint = re.search(r'PRELOAD-HINT:TYPE=PART,URI="([^"]+)"', playlist)
                assert hint is not None, playlist
                client.get(f"{media.rpartition('/')[0]}/{hint[1]}", timeout=20).raise_for_status()
                ffmpeg.wait(60)
            until(lambda: "recording.ready" in receiver.types(), timeout=60)
        log = (directory / "data" / "server.log").read_text()
        broadcast = path.partition("/")[0]
        yield Run(collector, receiver, url.rpartition("/")[2], token, log, broadcast)


def _found(client: httpx.Client, url: str) -> str:
    answer = client.get(url, timeout=20)
    return answer.text if answer.status_code == 200 else ""


def test_a_segment_is_followed_from_the_socket_to_the_stored_playlist(run: Run) -> None:
    first = run.segments("vsource")[0]
    assert first.attributes["stream"] == STREAM and first.attributes["broadcast"] == run.broadcast
    assert first.attributes["msn"] == 1 and first.attributes["outcome"] == "listed"
    assert first.parent == "" and first.events == ("first part published",)
    steps = sorted(run.collector.children(first), key=lambda span: span.began_ns)
    assert [step.name for step in steps] == ["package", "upload", "list"]
    assert first.began_ns == steps[0].began_ns and steps[-1].ended_ns == first.ended_ns
    # Two seconds of media arrive in real time.
    assert steps[0].ended_ns - steps[0].began_ns > 1_000_000_000
    assert all(step.ended_ns - step.began_ns < 10_000_000_000 for step in steps)


def test_an_encoded_segment_has_the_time_in_the_encoder(run: Run) -> None:
    encoded = [span for span in run.collector.named("encode") if span.parent]
    tracks = {
        span.attributes["track"]
        for span in run.collector.named("segment")
        if any(child.parent == span.id for child in encoded)
    }
    assert tracks == {"v180p"}
    assert all(0 < span.ended_ns - span.began_ns < 10_000_000_000 for span in encoded)


def test_a_request_continues_the_trace_of_its_proxy(run: Run) -> None:
    (request,) = (span for span in run.collector.named("request playlist") if span.trace == TRACE)
    assert request.parent == PARENT
    assert request.attributes["http.response.status_code"] == 200
    assert (request.attributes["source"], request.attributes["stream"]) == ("window", STREAM)
    assert [step.name for step in run.collector.children(request)] == ["window"]


def test_the_wait_of_a_held_request_is_seen(run: Run) -> None:
    waits = [
        step.ended_ns - step.began_ns
        for request in run.collector.named("request part")
        for step in run.collector.children(request)
        if step.name == "window"
    ]
    assert waits and max(waits) > 10_000_000


def test_a_webhook_carries_the_ids_of_its_span(run: Run) -> None:
    sent = {f"00-{span.trace}-{span.id}-01" for span in run.collector.named("webhook")}
    assert {message.headers["traceparent"] for message in run.receiver.received} == sent


def test_a_line_of_the_log_has_the_ids_of_its_span(run: Run) -> None:
    assert run.collector.services == {"lab"}
    assert run.collector.headers["authorization"] == "Bearer of-the-collector"
    lines = [json.loads(line) for line in run.log.splitlines() if line.startswith("{")]
    known = {(span.trace, span.id) for span in run.collector.spans}
    (reloaded,) = (line for line in lines if line["event"] == "the configuration was reloaded")
    requests = {(span.trace, span.id) for span in run.collector.named("request api")}
    assert (reloaded["trace_id"], reloaded["span_id"]) in requests
    assert all((line["trace_id"], line["span_id"]) in known for line in lines if "trace_id" in line)
    assert "of-the-collector" not in run.log


def test_no_secret_reaches_the_collector(run: Run) -> None:
    raw = b"".join(run.collector.raw)
    secrets = (run.key, run.token, run.receiver.secret, "secret-token", "of-the-collector")
    for secret in (*secrets, "master.m3u8", "127.0.0.1", "from=lab"):
        assert secret.encode() not in raw, secret


def test_a_server_whose_collector_hangs_serves_and_ends_in_time(tmp_path: Path) -> None:
    with collecting() as collector:
        collector.gate.clear()
        config = f'[tracing]\nendpoint = "{collector.url}"\nsample = 1\n'
        with serving(tmp_path / "data", config=config) as server:
            for _ in range(50):
                httpx.get(f"{server.http}/healthz", trust_env=False, timeout=5).raise_for_status()
            until(lambda: collector.requests, timeout=20)
            httpx.get(f"{server.http}/healthz", trust_env=False, timeout=5).raise_for_status()
            server.process.terminate()
            assert server.process.wait(20) == 0
        assert "the last traces were not delivered" in (tmp_path / "data" / "server.log").read_text()
