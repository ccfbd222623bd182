"""A transcoder that is too slow: a rendition is shed, the rest is whole, and it returns when there is room."""

import os
import signal
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.lab import processes
from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.server import Server, serving
from tests.lab.waiting import until
from tests.torture.oracle import judge_track
from tests.torture.recording import Track, read_recordings

STREAM, HIGH, LOW = "studio", "v360p", "v180p"
LADDER = '[transcoder]\nladder = [ {height = 360, bitrate = "800k"}, {height = 180, bitrate = "200k"} ]\n'
# The child runs for a twentieth of the time. Whole stops are so short that it is not taken for one that hangs.
RUNS_S, STOPS_S = 0.02, 0.38
# The rung returns half a minute after it was shed, if the machine has had room for a quarter of a minute.
RETURNS_WITHIN_S = 180.0


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(
        Clip(60, size="854x480", video_options=(("bf", 0),)), tmp_path_factory.mktemp("shedding") / "clip.flv"
    )


@contextmanager
def slowed(pid: int) -> Iterator[None]:
    """Let the process run for a small part of the time only."""
    ended = threading.Event()

    def alternate() -> None:
        while not ended.is_set():
            os.kill(pid, signal.SIGSTOP)
            ended.wait(STOPS_S)
            os.kill(pid, signal.SIGCONT)
            ended.wait(RUNS_S)

    thread = threading.Thread(target=alternate)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def transcoder(server: Server) -> int | None:
    """The process id of the transcoder."""
    for pid in processes.descendants(server.pid):
        if b"transcoder.worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None


def warnings(server: Server) -> dict[str, str]:
    status: dict[str, Any] = server.json("show", STREAM)
    return {warning["code"]: warning["text"] for warning in status["warnings"]}


def fetch(server: Server, path: str) -> str:
    with urllib.request.urlopen(f"{server.http}{path}", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def metric(server: Server, name: str, *labels: str) -> float:
    """The sum of the samples of ``name`` with these ``labels``."""
    lines = fetch(server, "/metrics").splitlines()
    wanted = [line for line in lines if line.startswith(f"{name}{{") and all(label in line for label in labels)]
    return sum(float(line.split()[-1]) for line in wanted)


def listed(server: Server) -> set[str]:
    """The renditions in the live multivariant playlist."""
    playlist = fetch(server, f"/live/{STREAM}/master.m3u8")
    return {track for track in ("vsource", HIGH, LOW) if f"/{track}/" in playlist}


def segments(server: Server, track: str) -> int:
    return len(list((server.data / "store" / "live" / STREAM).glob(f"*/{track}/*.m4s")))


def recorded(server: Server) -> dict[str, Track]:
    """The tracks of the recording, which is judged."""
    (recording,) = read_recordings(server.data / "store" / "live" / STREAM)
    for track in recording.tracks:
        assert list(judge_track(track)) == [], track.name
    return {track.name: track for track in recording.tracks}


def test_a_rung_is_shed_while_the_transcoder_is_too_slow_and_returns(clip: Path, tmp_path: Path) -> None:
    with serving(tmp_path, config=LADDER) as server, publishing(clip, server.create(STREAM), loop=True):
        until(lambda: segments(server, HIGH) > 1 and segments(server, LOW) > 1, timeout=60)
        assert listed(server) == {"vsource", HIGH, LOW}
        pid = transcoder(server)
        assert pid is not None
        with slowed(pid):
            until(lambda: metric(server, "headwater_rung_sheds_total", HIGH) >= 1, timeout=60)
            assert HIGH not in listed(server)
            assert "vsource" in listed(server)
            until(lambda: f"{HIGH} is off" in warnings(server).get("rungs-shed", ""))
            assert metric(server, "headwater_rungs_shed", STREAM) >= 1
            assert metric(server, "headwater_transcoder_behind_seconds", STREAM) > 1
        until(lambda: listed(server) == {"vsource", HIGH, LOW}, timeout=RETURNS_WITHIN_S)
        made = segments(server, HIGH)
        until(lambda: segments(server, HIGH) > made + 1, timeout=30)
        assert transcoder(server) == pid, "the child was not replaced"
        assert metric(server, "headwater_rungs_shed", STREAM) == 0
        assert server.stop() == 0
    log = (tmp_path / "server.log").read_text()
    assert "a rung is shed" in log and "a rung returns" in log
    tracks = recorded(server)
    assert all(segment.fragments for name in ("vsource", "asource") for segment in tracks[name].segments)
    gaps = [not segment.fragments for segment in tracks[HIGH].segments]
    first, last = gaps.index(True), len(gaps) - gaps[::-1].index(True)
    assert first > 0 and last < len(gaps), "media before and after the gaps"
    assert sum(not gap for gap in gaps[last:]) >= 2


def test_the_budget_leaves_a_rung_out_until_another_broadcast_ends(clip: Path, tmp_path: Path) -> None:
    # 640x360 and 320x180 at 30 frames a second are 6.9 and 1.7 megapixels a second.
    config = f"{LADDER}max_pixel_rate = 11\n"
    with serving(tmp_path, config=config) as server, publishing(clip, server.create("first"), loop=True):
        until(lambda: metric(server, "headwater_rendition_bytes_per_second", "first", HIGH) > 0, timeout=60)
        with publishing(clip, server.create(STREAM), loop=True):
            until(lambda: segments(server, LOW) > 1, timeout=60)
            assert listed(server) == {"vsource", LOW}
            until(lambda: HIGH in warnings(server).get("ladder-reduced", ""))
            assert server.cli("kill", "first").returncode == 0
            until(lambda: HIGH in listed(server), timeout=60)
            until(lambda: "ladder-reduced" not in warnings(server))
            assert server.stop() == 0
    assert all(segment.fragments for segment in recorded(server)["vsource"].segments)


def test_a_publisher_that_would_have_to_be_encoded_is_refused(tmp_path: Path) -> None:
    clip = make_clip(Clip(10, video_options=(("pix_fmt", "yuv444p"), ("profile", "high444"))), tmp_path / "444.flv")
    config = f'{LADDER}max_pixel_rate = 1\non_budget = "refuse"\n'
    with serving(tmp_path / "data", config=config) as server:
        with publishing(clip, server.create(STREAM)) as publisher:
            assert publisher.wait(30) != 0
        assert metric(server, "headwater_publishers_refused_total", "no-encoding-room") >= 1
        assert "no room to encode this stream" in (tmp_path / "data" / "server.log").read_text()
        assert server.stop() == 0
