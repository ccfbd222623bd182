"""A server that is killed and started again: viewers, the recording and the operator's record go on."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.browser import chromium, require_chromium, visit, wait_for
from tests.lab.ports import HOST, free_port
from tests.lab.server import Server, serving
from tests.lab.waiting import until
from tests.torture.oracle import judge_track
from tests.torture.recording import Recording, read_recordings

require_chromium()

STREAM = "studio"
DOWN_S = 1.0
# hls.js has by then given up on the playlist of its level, and looks for another one.
LONG_DOWN_S = 5.0
LADDER = '[ {height = 180, bitrate = "200k"} ]'
# Seconds of playback after the server is back, and the longest time until a picture is shown again.
WATCHED_S = 5.0
LONGEST_WAIT_S = 8.0
# Measures the longest time between two pictures, also if the player is closed and opened in between.
WATCH_PICTURES = """() => {
  const video = document.getElementById("video");
  window.pictures = { shown: 0, last: performance.now(), longest: 0 };
  const note = () => {
    const now = performance.now();
    window.pictures.longest = Math.max(window.pictures.longest, now - window.pictures.last);
    window.pictures.last = now;
    window.pictures.shown += 1;
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
}"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(Clip(90), tmp_path_factory.mktemp("recovery") / "clip.flv")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


class Machine:
    """Starts servers with the same data and addresses, one after the other."""

    def __init__(self, data: Path, config: str, *, ladder: str = "'source'") -> None:
        self.data = data
        self._config = f"[transcoder]\nladder = {ladder}\n{config}"
        self._addresses = ("--rtmp", f"{HOST}:{free_port()}", "--http", f"{HOST}:{free_port()}")

    def serving(self) -> AbstractContextManager[Server]:
        return serving(self.data, *self._addresses, config=self._config)

    @property
    def spool(self) -> list[Path]:
        return [path for path in (self.data / "spool").rglob("*") if path.is_file()]

    def record(self) -> dict[str, Any]:
        """The catalogue's record of the only broadcast."""
        (path,) = (self.data / "store" / "catalogue" / "broadcasts" / STREAM).glob("*.json")
        record: dict[str, Any] = json.loads(path.read_text())
        return record

    def recording(self) -> Recording:
        """The only recording. Its tracks are judged."""
        (recording,) = read_recordings(self.data / "store" / "live" / STREAM)
        for track in recording.tracks:
            assert list(judge_track(track)) == [], track.name
        return recording

    def segments(self) -> int:
        return len(list((self.data / "store" / "live" / STREAM).glob("*/vsource/*.m4s")))


def kill(server: Server) -> None:
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()


@contextmanager
def watching(browser: Browser, server: Server, player: str, *, pictures: int) -> Iterator[Page]:
    """A page on which ``player`` has shown ``pictures``."""
    with visit(browser, f"{server.http}/watch/{STREAM}?player={player}&muted=1") as opened:
        page = opened.page
        wait_for(page, "() => window.headwater.frames > 0")
        page.evaluate(WATCH_PICTURES)
        wait_for(page, "count => window.pictures.shown > count", pictures)
        yield page


def watch_on(page: Page) -> None:
    """Wait until the page has shown pictures for WATCHED_S more."""
    shown = page.evaluate("window.pictures.shown")
    wait_for(page, "shown => window.pictures.shown > shown", shown + 30 * WATCHED_S)


@pytest.mark.parametrize("player", ["hls", "dash", "shaka"])
def test_viewers_go_on_after_a_kill(browser: Browser, clip: Path, tmp_path: Path, player: str) -> None:
    machine = Machine(tmp_path, "")
    with machine.serving() as server:
        url = server.create(STREAM)
        with publishing(clip, url):
            until(lambda: machine.segments() > 2, timeout=30)
            with watching(browser, server, player, pictures=30) as page:
                killed = time.monotonic()
                kill(server)
                time.sleep(DOWN_S)
                with machine.serving() as again, publishing(clip, url):
                    down_s = time.monotonic() - killed
                    watch_on(page)
                    assert page.evaluate("window.pictures.longest") / 1000 < down_s + LONGEST_WAIT_S
                    assert again.stop() == 0
    recording = machine.recording()
    msns = [segment.msn for segment in recording.tracks[0].segments]
    assert msns == list(range(1, len(msns) + 1))
    assert sum(segment.discontinuity for segment in recording.tracks[0].segments) == 1
    assert machine.record()["ended_at"] is not None
    assert machine.spool == []


def test_hls_with_renditions_goes_on_after_seconds_without_a_server(
    browser: Browser, clip: Path, tmp_path: Path
) -> None:
    machine = Machine(tmp_path, "", ladder=LADDER)
    with machine.serving() as server:
        url = server.create(STREAM)
        with publishing(clip, url):
            until(lambda: machine.segments() > 2, timeout=30)
            with watching(browser, server, "hls", pictures=60) as page:
                kill(server)
                time.sleep(LONG_DOWN_S)
                with machine.serving(), publishing(clip, url):
                    watch_on(page)


def test_a_broadcast_whose_publisher_does_not_return_ends_with_a_complete_recording(
    clip: Path, tmp_path: Path
) -> None:
    machine = Machine(tmp_path, "[rtmp]\nreconnect_window = '5s'\n")
    with machine.serving() as server, publishing(clip, server.create(STREAM)):
        until(lambda: machine.segments() > 2, timeout=30)
        kill(server)
    with machine.serving() as server:
        assert {"stream": STREAM, "state": "waiting"}.items() <= server.json("show", STREAM).items()
        until(lambda: machine.record()["ended_at"] is not None, timeout=20)
        until(lambda: machine.spool == [], timeout=5)
    record = machine.record()
    assert record["end_reason"] == "the publisher did not come back"
    assert record["duration_s"] >= 6
    assert record["bytes"] > 0
    playlist = (
        machine.data / "store" / "live" / STREAM / record["broadcast"] / "vsource" / "recording.m3u8"
    ).read_text()
    assert playlist.rstrip().endswith("#EXT-X-ENDLIST")
    assert len(re.findall("EXT-X-GAP", playlist)) <= 1
    machine.recording()
