"""End to end: a real ffmpeg publishes, real players play, and the store keeps the recording.

Two broadcasts run concurrently for fifteen seconds, one with a ladder; afterwards everything about them is tested.
"""

import platform
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import av
import httpx
import m3u8
import pytest

from tests.lab.broadcaster import Clip, Played, make_clip, play, publishing
from tests.lab.fragments import read_fragments
from tests.lab.recordings import tracks
from tests.lab.server import Server, serving
from tests.lab.waiting import until

SECONDS = 15
FPS = 30
CONFIG = '[streams.beta]\nladder = "source"\n'


@dataclass(slots=True)
class LiveRun:
    """Records of the live broadcasts; the server keeps running."""

    server: Server
    listed: list[dict[str, Any]] = field(default_factory=list)
    shown: str = ""
    live: dict[str, bytes] = field(default_factory=dict)
    played: dict[str, Played] = field(default_factory=dict)
    thumbnail: bytes = b""
    metrics: str = ""

    def url(self, path: str) -> str:
        return f"{self.server.http}/live/{path}"

    def broadcast(self, stream: str) -> str:
        (one,) = self.server.json("broadcasts", stream)
        broadcast: str = one["broadcast"]
        return broadcast


@pytest.fixture(scope="module")
def live_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRun]:
    folder = tmp_path_factory.mktemp("live_run")
    big = make_clip(Clip(SECONDS, size="854x480"), folder / "big.flv")
    small = make_clip(Clip(SECONDS, size="320x180", video_options=(("bf", 0),)), folder / "small.flv")
    with serving(folder / "data", config=CONFIG) as server:
        live_run = LiveRun(server)
        alpha, beta = (f"{server.rtmp}/{server.json('create', name)['key']}" for name in ("alpha", "beta"))
        with publishing(big, alpha) as first, publishing(small, beta) as second:
            watch_live(live_run)
            assert first.wait(30) == 0, first.stderr
            assert second.wait(30) == 0, second.stderr
        until(lambda: all(stream["state"] == "idle" for stream in server.json("list")))
        until(lambda: all(b["state"] == "ended" for s in ("alpha", "beta") for b in server.json("broadcasts", s)))
        yield live_run


def watch_live(live_run: LiveRun) -> None:
    """While both are live, list them and play them as a viewer would."""

    def watch(stream: str) -> None:
        live_run.played[stream] = play(live_run.url(f"{stream}/master.m3u8"))

    until(lambda: all(s["renditions"] for s in live_run.server.json("list") if s["stream"] != "live"))
    viewers = [threading.Thread(target=watch, args=(stream,)) for stream in ("alpha", "beta")]
    for viewer in viewers:
        viewer.start()
    until(lambda: read_live(live_run, "alpha") and read_live(live_run, "beta"))
    live_run.listed = live_run.server.json("list")
    live_run.shown = live_run.server.cli("show", "alpha").stdout
    live_run.metrics = httpx.get(f"{live_run.server.http}/metrics").text
    token = (live_run.server.data / "api-token").read_text().strip()
    live_run.thumbnail = until(lambda: picture(live_run, token))
    for viewer in viewers:
        viewer.join()


def picture(live_run: LiveRun, token: str) -> bytes:
    url = f"{live_run.server.http}/api/v1/streams/alpha/thumbnail.jpg"
    answer = httpx.get(url, headers={"Authorization": f"Bearer {token}"})
    return answer.content if answer.status_code == 200 else b""


def read_live(live_run: LiveRun, stream: str) -> bool:
    """Keep all current live segments; returns whether every track had at least two."""
    master = m3u8.load(live_run.url(f"{stream}/master.m3u8"))
    uris = [playlist.absolute_uri for playlist in master.playlists] + [
        media.absolute_uri for media in master.media if media.uri
    ]
    enough = True
    for uri in dict.fromkeys(uris):
        playlist = m3u8.load(uri)
        names = [segment.absolute_uri for segment in playlist.segments if segment.uri]
        names += [section.absolute_uri for section in playlist.segment_map]
        for name in names:
            if name not in live_run.live:
                live_run.live[name] = httpx.get(name).content
        enough = enough and len(names) > 2
    return enough


def stored(live_run: LiveRun, stream: str) -> Path:
    return live_run.server.data / "store" / "live" / stream / live_run.broadcast(stream)


def test_list_shows_both_live_with_their_renditions(live_run: LiveRun) -> None:
    streams = {stream["stream"]: stream for stream in live_run.listed}
    assert [stream["state"] for stream in live_run.listed] == ["live", "live", "idle"]
    assert {r["track"] for r in streams["alpha"]["renditions"]} == {"vsource", "v360p", "asource"}
    assert {r["track"] for r in streams["beta"]["renditions"]} == {"vsource", "asource"}
    source = streams["alpha"]["source"]
    assert (source["codec"], source["width"], source["height"]) == ("h264", 854, 480)
    assert source["keyframe_interval_s"] == pytest.approx(2, abs=0.01)
    assert streams["alpha"]["uptime_s"] > 0
    assert "127.0.0.1" in streams["alpha"]["publisher"]["address"]
    assert "854x480" in live_run.shown


@pytest.mark.parametrize("stream", ["alpha", "beta"])
def test_live_hls_plays_to_the_end(live_run: LiveRun, stream: str) -> None:
    played = live_run.played[stream]
    assert played.errors == ""
    assert played.frames >= (SECONDS - 2) * FPS


@pytest.mark.parametrize("stream", ["alpha", "beta"])
@pytest.mark.parametrize("manifest", ["master.m3u8", "manifest.mpd"])
def test_the_recording_plays_completely(live_run: LiveRun, stream: str, manifest: str) -> None:
    for path in (f"{stream}/{manifest}", f"{stream}/{live_run.broadcast(stream)}/{manifest}"):
        played = play(live_run.url(path))
        assert played.frames == SECONDS * FPS, path


@pytest.mark.parametrize("stream", ["alpha", "beta"])
def test_every_track_decodes_and_none_lost_a_frame(live_run: LiveRun, stream: str, tmp_path: Path) -> None:
    for name, data in tracks(stored(live_run, stream)).items():
        file = tmp_path / f"{name}.mp4"
        file.write_bytes(data)
        with av.open(str(file)) as container:
            (track,) = container.streams
            frames = sum(1 for _ in container.decode(track))
        if name.startswith("v"):
            assert frames == SECONDS * FPS, name
        else:
            assert frames * 1024 / 48_000 == pytest.approx(SECONDS, abs=0.15)


@pytest.mark.parametrize("stream", ["alpha", "beta"])
def test_segments_of_all_tracks_start_together(live_run: LiveRun, stream: str) -> None:
    starts: dict[str, list[float]] = {}
    for folder in (path.parent for path in stored(live_run, stream).glob("*/media.m3u8")):
        scale = 90_000 if folder.name.startswith("v") else 48_000
        segments = sorted(folder.glob("*.m4s"), key=lambda path: int(path.stem))
        starts[folder.name] = [read_fragments(path.read_bytes())[0].samples[0].pts / scale for path in segments]
    video = starts["vsource"]
    for name, times in starts.items():
        tolerance = 0 if name.startswith("v") else 0.022
        assert all(abs(time - video[i]) <= tolerance for i, time in enumerate(times[: len(video)])), name


@pytest.mark.parametrize("stream", ["alpha", "beta"])
def test_the_store_has_the_live_bytes(live_run: LiveRun, stream: str) -> None:
    prefix = f"{live_run.server.http}/live/{stream}/"
    seen = {url: body for url, body in live_run.live.items() if url.startswith(prefix)}
    assert len(seen) >= 6
    for url, body in seen.items():
        assert (live_run.server.data / "store" / url.removeprefix(f"{live_run.server.http}/")).read_bytes() == body
        assert httpx.get(url).content == body


def test_audio_and_video_are_in_sync(live_run: LiveRun) -> None:
    """Both start with the broadcaster's first frame, without an offset between them."""
    firsts = {}
    for name, data in tracks(stored(live_run, "alpha")).items():
        scale = 90_000 if name.startswith("v") else 48_000
        firsts[name] = read_fragments(data)[0].samples[0].pts / scale
    assert max(firsts.values()) - min(firsts.values()) <= 0.011


def test_there_is_a_thumbnail_of_the_source(live_run: LiveRun) -> None:
    assert live_run.thumbnail.startswith(b"\xff\xd8\xff")


def test_metrics_count_what_was_made(live_run: LiveRun) -> None:
    assert 'headwater_streams{state="live"} 2.0' in live_run.metrics
    assert 'headwater_segments_total{stream="alpha",track="v360p"}' in live_run.metrics
    for made_by in ("broadcaster", "encoder"):
        assert value(live_run.metrics, f'headwater_part_lateness_seconds_count{{made_by="{made_by}"}}') > 3
    for kind in ("playlist", "segment", "init", "api"):
        assert value(live_run.metrics, f'headwater_requests_total{{kind="{kind}",status="2xx"}}') > 0
    assert value(live_run.metrics, 'headwater_held_requests{kind="part"}') >= 0


def test_metrics_name_the_versions_of_the_libraries(live_run: LiveRun) -> None:
    metrics = httpx.get(f"{live_run.server.http}/metrics").text
    (build,) = [line for line in metrics.splitlines() if line.startswith("headwater_build_info{")]
    versions = dict(re.findall(r'(\w+)="([^"]*)"', build))
    assert versions["pyav"] == metadata.version("av")
    assert re.match(r"\d+\.\d+", versions["ffmpeg"])
    assert versions["python"] == platform.python_version()


def value(metrics: str, series: str) -> float:
    (found,) = [line for line in metrics.splitlines() if line.startswith(f"{series} ")]
    return float(found.rpartition(" ")[2])


def test_broadcasts_lists_the_recording(live_run: LiveRun) -> None:
    (one,) = live_run.server.json("broadcasts", "alpha")
    assert one["duration_s"] == pytest.approx(SECONDS, abs=0.3)
    assert one["bytes"] > 100_000
    assert (
        httpx.get(live_run.server.http + one["hls"] if one["hls"].startswith("/") else one["hls"]).status_code
        == 200
    )
