"""A real ffmpeg is killed and returns: meanwhile viewers and the recording get the slate, in every rendition."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.lab.broadcaster import Clip, make_clip, play, publishing
from tests.lab.browser import chromium, require_chromium, visit, wait_for
from tests.lab.ffmpeg import ffmpeg_path
from tests.lab.server import Server, serving
from tests.lab.waiting import until
from tests.torture.oracle import judge_track
from tests.torture.recording import Recording, Track, read_recordings

require_chromium()

STREAM = "studio"
AFTER_S = 2.0
AWAY_S = 9.0
CONFIG = f"[rtmp]\nslate = 'last-frame'\nslate_after = '{AFTER_S:g}s'\n"
RUNG = [{"height": 180, "bitrate": "300k"}]
# Notes the longest time in which the player's clock stood still.
WATCH_CLOCK = """() => {
  const video = document.getElementById("video");
  window.clock = { at: video.currentTime, moved: performance.now(), longest: 0 };
  setInterval(() => {
    const now = performance.now();
    window.clock.longest = Math.max(window.clock.longest, now - window.clock.moved);
    if (video.currentTime !== window.clock.at) {
      window.clock.at = video.currentTime;
      window.clock.moved = now;
    }
  }, 50);
}"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(Clip(60), tmp_path_factory.mktemp("slate") / "clip.flv")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def make_image(path: Path) -> None:
    options = ["-v", "error", "-f", "lavfi", "-i", "testsrc=size=300x300", "-frames:v", "1"]
    subprocess.run([ffmpeg_path(), *options, str(path)], check=True)


def event_codes(server: Server) -> list[str]:
    return [event["code"] for event in server.json("events", STREAM)["events"]]


def publisher_lost(server: Server) -> str:
    """The text of the warning."""
    warnings = {warning["code"]: warning["text"] for warning in server.json("show", STREAM)["warnings"]}
    return str(warnings.get("publisher-lost", ""))


def segments(server: Server) -> int:
    return len(list((server.data / "store" / "live" / STREAM).glob("*/vsource/*.m4s")))


def judged_recording(server: Server) -> Recording:
    (recording,) = read_recordings(server.data / "store" / "live" / STREAM)
    for track in recording.tracks:
        assert list(judge_track(track)) == [], track.name
    return recording


def first_discontinuity(track: Track) -> int:
    return next(segment.msn for segment in track.segments if segment.discontinuity)


def gaps(track: Track) -> set[int]:
    """The MSNs without media. If the publisher is lost as a segment begins, not all tracks have media in it."""
    return {segment.msn for segment in track.segments} - {segment.msn for segment in track.media}


def lengths_of_runs(track: Track) -> list[float]:
    """The seconds between discontinuities."""
    begins = [place for place, segment in enumerate(track.media) if segment.discontinuity or place == 0]
    runs = [track.media[one:other] for one, other in zip(begins, (*begins[1:], None), strict=True)]
    return [run[-1].end_s - run[0].start_s for run in runs]


@pytest.mark.parametrize("player", ["hls", "dash"])
def test_viewers_see_the_slate_until_the_publisher_returns(
    browser: Browser, clip: Path, tmp_path: Path, player: str
) -> None:
    with serving(tmp_path, config=CONFIG) as server:
        url = server.create(STREAM, ladder=RUNG)
        with publishing(clip, url) as publisher:
            until(lambda: segments(server) > 2, timeout=30)
            with visit(browser, f"{server.http}/watch/{STREAM}?player={player}&muted=1") as opened:
                page = opened.page
                wait_for(page, "() => window.headwater.frames > 60")
                page.evaluate(WATCH_CLOCK)
                publisher.kill()
                until(lambda: "slate" in event_codes(server), timeout=AFTER_S + 5)
                assert server.json("show", STREAM)["state"] == "waiting"
                # The status is at most a second old.
                until(lambda: "viewers see the slate" in publisher_lost(server), timeout=5)
                time.sleep(AWAY_S)
                assert page.evaluate("window.clock.longest") / 1000 < AFTER_S + 3
                with publishing(clip, url):
                    until(lambda: "slate-over" in event_codes(server), timeout=10)
                    time.sleep(6)
                    at = page.evaluate("document.getElementById('video').currentTime")
                    wait_for(page, "at => document.getElementById('video').currentTime > at + 2", at)
                    assert page.evaluate("window.clock.longest") / 1000 < AFTER_S + 3
                    assert server.cli("kill", STREAM).returncode == 0
        until(lambda: server.json("broadcasts", STREAM)[0]["state"] == "ended", timeout=20)
        recording = judged_recording(server)
        assert {track.name for track in recording.tracks} == {"vsource", "v180p", "asource"}
        for track in recording.tracks:
            assert gaps(track) <= {first_discontinuity(track) - 1}, track.name
            _, slate_s, _ = lengths_of_runs(track)
            assert slate_s >= AWAY_S - 1, track.name
            assert play(str(track.folder / "recording.m3u8")).errors == "", track.name


def test_an_image_at_the_end_stays_in_the_recording(clip: Path, tmp_path: Path) -> None:
    image = tmp_path / "slate.png"
    make_image(image)
    config = CONFIG.replace("last-frame", "image") + f"slate_image = '{image}'\nreconnect_window = '8s'\n"
    with serving(tmp_path / "data", config=config) as server:
        with publishing(clip, server.create(STREAM, ladder="source"), seconds=30) as publisher:
            until(lambda: segments(server) > 2, timeout=30)
            publisher.kill()
        until(lambda: server.json("broadcasts", STREAM)[0]["state"] == "ended", timeout=20)
        assert event_codes(server)[-2:] == ["slate-over", "ended"]
        for track in judged_recording(server).tracks:
            _, slate_s = lengths_of_runs(track)
            assert 4 < slate_s < 7
        assert play(f"{server.http}/live/{STREAM}/master.m3u8").errors == ""
