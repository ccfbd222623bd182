"""Measures from opening the watch page of a live stream to the first picture, in headless Chromium."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from tests.lab.browser import CHROMIUM, chromium, visit, wait_for
from tests.lab.rtmp.publishers import publishing
from tests.lab.server import serving

STREAM = "startup"
SETTINGS = {"HEADWATER_TRANSCODER__LADDER": "source"}
PLAYERS = ("hls", "dash", "shaka")
MISSING = "First picture: skipped, chromium is not on PATH"
# More segments than a player's distance from the live edge.
ON_AIR_S = 10.0

# Milliseconds from the request of the page until its first picture was presented.
PRESENTED = """() => {
  const video = document.getElementById("video");
  if (video && !window.firstPicture && !window.asked) {
    window.asked = true;
    video.requestVideoFrameCallback((now, { presentationTime }) => (window.firstPicture = presentationTime));
  }
  return window.firstPicture;
}"""


def missing() -> str | None:
    """Why nothing can be shown, or None if it can."""
    return MISSING if CHROMIUM is None else None


@contextmanager
def viewer(clip: Path, on_air_s: float) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of a stream that has been live for ``on_air_s`` seconds. Raises LabError."""
    with (
        tempfile.TemporaryDirectory(prefix="headwater-startup-") as directory,
        serving(Path(directory) / "data", environment=SETTINGS) as server,
        publishing(clip, (server.create(STREAM),)),
        chromium() as browser,
    ):
        time.sleep(on_air_s)
        yield browser, f"{server.http}/watch/{STREAM}"


@dataclass(frozen=True, slots=True)
class Shown:
    """Seconds from the request of the page to the first picture."""

    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s"


def measure(browser: Browser, page: str, player: str, number: int) -> Shown:
    """Measure in a fresh profile with an empty cache."""
    with visit(browser, f"{page}?player={player}&muted=1") as opened:
        wait_for(opened.page, PRESENTED)
        return Shown(float(opened.page.evaluate("window.firstPicture")) / 1000)
