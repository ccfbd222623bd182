"""Publishers that connect, disconnect, reconnect and are refused, with a real ffmpeg."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import m3u8
import pytest

from tests.lab.broadcaster import Clip, make_clip, play, publishing
from tests.lab.server import Server, serving
from tests.lab.waiting import until


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    make_clip(Clip(60, size="320x180", gop=30), folder / "long.flv")
    make_clip(Clip(5, size=None), folder / "audio.flv")
    make_clip(Clip(5, size="320x180", audio=None), folder / "video.flv")
    make_clip(Clip(14, size="320x180", gop=250, audio="libmp3lame"), folder / "sparse.flv")
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    config = '[packager]\nsegment_target = "1s"\n[rtmp]\nreconnect_window = "20s"\n'
    with serving(tmp_path_factory.mktemp("publishers"), config=config) as server:
        yield server


def state(server: Server, stream: str) -> str:
    (status,) = (status for status in server.json("list") if status["stream"] == stream)
    word: str = status["state"]
    return word


def playlist(server: Server, stream: str, track: str = "vsource") -> m3u8.M3U8:
    master = httpx.get(f"{server.http}/live/{stream}/master.m3u8")
    if master.status_code != 200:
        return m3u8.M3U8()
    broadcast = re.search(r"(\d{8}t\d{6}z-[0-9a-f]{6})/", master.text)
    assert broadcast is not None
    text = httpx.get(f"{server.http}/live/{stream}/{broadcast[1]}/{track}/media.m3u8").text
    return m3u8.loads(re.sub("#EXT-X-(PART:|PRELOAD-HINT).*\n", "", text))


def test_an_unknown_key_is_refused_at_once_with_a_reason(server: Server, clips: Path) -> None:
    with publishing(clips / "long.flv", f"{server.rtmp}/no-such-key") as publisher:
        _, errors = publisher.communicate(timeout=10)
    assert publisher.returncode != 0
    assert "stream key" in errors


def test_kill_ends_the_broadcast_and_a_ban_refuses_the_publisher(server: Server, clips: Path) -> None:
    url = server.create("killed")
    with publishing(clips / "long.flv", url) as publisher:
        until(lambda: len(playlist(server, "killed").segments) >= 2)
        assert server.cli("kill", "killed", "--ban", "60").returncode == 0
        publisher.wait(10)
        assert publisher.returncode != 0
    until(lambda: state(server, "killed") == "idle")
    until(lambda: playlist(server, "killed").is_endlist)
    with publishing(clips / "long.flv", url) as publisher:
        _, errors = publisher.communicate(timeout=10)
        assert publisher.returncode != 0
    assert "banned" in errors
    again = server.cli("kill", "killed")
    assert again.returncode == 1
    assert "not live" in again.stderr


def test_a_publisher_that_reconnects_continues_its_broadcast(server: Server, clips: Path) -> None:
    url = server.create("returning")
    with publishing(clips / "long.flv", url) as publisher:
        until(lambda: len(playlist(server, "returning").segments) >= 2)
        publisher.kill()
        publisher.wait()
    until(lambda: state(server, "returning") == "waiting")
    before = playlist(server, "returning")
    assert not before.is_endlist
    with publishing(clips / "long.flv", url, seconds=4) as publisher:
        until(lambda: state(server, "returning") == "live")
        assert publisher.wait(20) == 0
    until(lambda: playlist(server, "returning").is_endlist)
    after = playlist(server, "returning")
    assert [s.uri for s in after.segments][: len(before.segments)] == [s.uri for s in before.segments]
    assert [segment.discontinuity for segment in after.segments].count(True) == 1
    (one,) = server.json("broadcasts", "returning")
    assert one["state"] == "ended"
    assert play(f"{server.http}/live/returning/master.m3u8").frames >= 150


def test_a_second_publisher_with_the_key_takes_over(server: Server, clips: Path) -> None:
    url = server.create("taken")
    with publishing(clips / "long.flv", url) as first:
        until(lambda: len(playlist(server, "taken").segments) >= 1)
        with publishing(clips / "long.flv", url, seconds=3) as second:
            assert first.wait(10) != 0
            assert second.wait(20) == 0
    until(lambda: state(server, "taken") == "idle")
    assert len(until(lambda: [b for b in server.json("broadcasts", "taken") if b["state"] == "ended"])) == 1


@pytest.mark.parametrize(("clip", "track"), [("audio", "asource"), ("video", "vsource")])
def test_a_single_track_is_a_broadcast(server: Server, clips: Path, clip: str, track: str) -> None:
    url = server.create(f"{clip}-only")
    with publishing(clips / f"{clip}.flv", url) as publisher:
        assert publisher.wait(20) == 0
    until(lambda: playlist(server, f"{clip}-only", track).is_endlist)
    duration = sum(segment.duration or 0 for segment in playlist(server, f"{clip}-only", track).segments)
    assert duration == pytest.approx(5, abs=0.1)
    played = play(f"{server.http}/live/{clip}-only/master.m3u8")
    assert played.errors == ""
    assert played.frames == (150 if clip == "video" else 0)


def test_sparse_keyframes_and_mp3_are_encoded_with_a_warning(server: Server, clips: Path) -> None:
    url = server.create("sparse")
    with publishing(clips / "sparse.flv", url) as publisher:
        warning = until(lambda: server.json("show", "sparse")["warnings"], timeout=20)
        assert publisher.wait(20) == 0
    assert "Keyframe Interval to 2 s in OBS" in warning[0]["text"]
    until(lambda: playlist(server, "sparse").is_endlist)
    segments = playlist(server, "sparse").segments
    assert max(segment.duration or 0 for segment in segments[1:]) < 1.5
    played = play(f"{server.http}/live/sparse/master.m3u8")
    assert played.frames >= 14 * 30 - 3


def test_sigterm_ends_everything_cleanly(tmp_path: Path, clips: Path) -> None:
    with serving(tmp_path / "data") as server:
        url = server.create("cut-short")
        with publishing(clips / "long.flv", url):
            until(lambda: len(playlist(server, "cut-short").segments) >= 1)
            assert server.stop() == 0
        text = next((server.data / "store" / "live" / "cut-short").glob("*/vsource/media.m3u8")).read_text()
    assert text.endswith("#EXT-X-ENDLIST\n")
    assert not (server.data / "server.json").exists()
