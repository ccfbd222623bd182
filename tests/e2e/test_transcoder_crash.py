"""A transcoder that is killed or hangs while viewers watch: players go on, and the playlists are right."""

import json
import os
import signal
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.lab import processes
from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.browser import chromium, require_chromium, visit, wait_for
from tests.lab.players.network import Network
from tests.lab.players.recorder import RECORDER, Stall, read_record, wait_for_height
from tests.lab.server import Server, serving
from tests.lab.waiting import until
from tests.torture.oracle import judge_track
from tests.torture.recording import Track, read_recordings

require_chromium()

STREAM, RENDITION, HEIGHT = "studio", "v360p", 360
# The source's steady bitrate, and a network that only carries the rendition.
RATE = (("video_bitrate", "2000k"), ("maxrate", "2000k"), ("bufsize", "2000k"))
ENCODER = (("bf", 0), ("tune", "zerolatency"), *RATE)
SLOW_KBPS = 1800
# Seconds of playback after the crash. Players have buffered the seconds before it.
WATCHED_S = 9.0
# Chromium, ffmpeg and the encoders share the machine's cores, so the picture may stop for a moment. A hole in the
# rendition would stop it for the rest of a segment at least.
LONGEST_STALL_S = 1.5


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(
        Clip(120, size="854x480", video_options=ENCODER), tmp_path_factory.mktemp("crash") / "clip.flv"
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def transcoder(server: Server) -> int | None:
    """The process id of the transcoder."""
    for pid in processes.descendants(server.pid):
        if b"transcoder.worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None


def strike(server: Server, number: signal.Signals) -> int:
    """Send a signal to the transcoder, and return its process id."""
    pid = until(lambda: transcoder(server))
    assert pid is not None
    os.kill(pid, number)
    return pid


def warnings(server: Server) -> dict[str, str]:
    token = (server.data / "api-token").read_text().strip()
    request = urllib.request.Request(
        f"{server.http}/api/v1/streams/{STREAM}", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        status: dict[str, Any] = json.load(answer)
    return {warning["code"]: warning["text"] for warning in status["warnings"]}


def stored(server: Server) -> Sequence[Track]:
    """The tracks of the recording, which is judged."""
    (recording,) = read_recordings(server.data / "store" / "live" / STREAM)
    for track in recording.tracks:
        assert list(judge_track(track)) == [], track.name
    return recording.tracks


def rendition(server: Server) -> Track:
    return next(track for track in stored(server) if track.name == RENDITION)


def segments(server: Server) -> int:
    return len(list((server.data / "store" / "live" / STREAM).glob(f"*/{RENDITION}/*.m4s")))


def position(page: Page) -> float:
    seconds: float = page.evaluate("document.getElementById('video').currentTime")
    return seconds


def stalls_after_a_kill(browser: Browser, server: Server, player: str) -> tuple[Stall, ...]:
    """Watch the rendition while its transcoder is killed. The network then carries every rendition."""
    with visit(browser, f"{server.http}/watch/{STREAM}?player={player}&muted=1") as opened:
        page = opened.page
        page.evaluate(RECORDER)
        network = Network(page)
        wait_for(page, "() => window.record.started !== null && window.headwater.frames > 0")
        network.carry(SLOW_KBPS)
        wait_for_height(page, HEIGHT)
        killed_at = page.evaluate("performance.now() / 1000")
        strike(server, signal.SIGKILL)
        network.carry(None)
        end = position(page) + WATCHED_S
        wait_for(page, "end => document.getElementById('video').currentTime > end", end)
        record = read_record(page.evaluate("window.record"), opened.complaints)
        return tuple(stall for stall in record.stalls if stall.at >= killed_at)


@pytest.mark.parametrize("player", ["hls", "dash", "shaka"])
def test_players_go_on_when_the_transcoder_is_killed(
    browser: Browser, clip: Path, tmp_path: Path, player: str
) -> None:
    with serving(tmp_path, config="[packager]\nlow_latency = false\n") as server:
        with publishing(clip, server.create(STREAM)):
            stalls = stalls_after_a_kill(browser, server, player)
            assert all(stall.length is not None and stall.length < LONGEST_STALL_S for stall in stalls), stalls
            assert server.stop() == 0
        lengths = [round(segment.extinf_s, 1) for segment in rendition(server).segments]
        assert set(lengths[:-1]) == {2.0}


def test_a_transcoder_that_hangs_is_replaced_and_the_warning_says_so(clip: Path, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        with publishing(clip, server.create(STREAM)):
            until(lambda: segments(server) > 1, timeout=30)
            stopped = strike(server, signal.SIGSTOP)
            until(lambda: "transcoder-died" in warnings(server), timeout=20)
            assert "hung: it sent nothing for 5 s" in warnings(server)["transcoder-died"]
            assert "transcoder-overrun" not in warnings(server)
            events = server.json("events", STREAM)["events"]
            (replaced,) = [event["text"] for event in events if event["code"] == "transcoder-replaced"]
            assert replaced.startswith("the transcoder died and is replaced") and "hung" in replaced
            assert not Path(f"/proc/{stopped}").exists()
            made = segments(server)
            until(lambda: segments(server) > made + 1, timeout=30)
            assert server.stop() == 0
        gaps = [segment.msn for segment in rendition(server).segments if not segment.fragments]
        assert 1 <= len(gaps) <= 4


def restarts(server: Server) -> float:
    with urllib.request.urlopen(f"{server.http}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(x.split()[-1]) for x in lines if x.startswith("headwater_transcoder_restarts_total"))


def test_a_transcoder_that_dies_at_every_start_is_retried(clip: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "av.py").write_text("raise SystemExit('no codecs')\n")
    with (
        serving(tmp_path / "data", environment={"PYTHONPATH": str(broken)}) as server,
        publishing(clip, server.create(STREAM)),
    ):
        until(lambda: restarts(server) >= 2, timeout=20)
        assert "no codecs" in warnings(server)["transcoder-died"]
        (broken / "av.py").unlink()
        until(lambda: segments(server) > 1, timeout=30)
        assert server.stop() == 0
