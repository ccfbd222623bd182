"""From a viewer's opening the watch page to the first picture, in headless Chromium, on a stream that is live."""

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
# More segments than a player stays behind the live edge.
ON_AIR_S = 10.0

# Milliseconds since the page was asked for, once its first picture has been presented.
PRESENTED = """() => {
  const video = document.getElementById("video");
  if (video && !window.firstPicture && !window.asked) {
    window.asked = true;
    video.requestVideoFrameCallback((now, { presentationTime }) => (window.firstPicture = presentationTime));
  }
  return window.firstPicture;
}"""


def missing() -> str | None:
    """The reason why nothing can be shown, or None."""
    return MISSING if CHROMIUM is None else None


@contextmanager
def viewer(clip: Path, on_air_s: float) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of a stream that has been live for some time. Raises LabError."""
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
    """In a fresh profile, without anything in a cache."""
    with visit(browser, f"{page}?player={player}&muted=1") as opened:
        wait_for(opened.page, PRESENTED)
        return Shown(float(opened.page.evaluate("window.firstPicture")) / 1000)
