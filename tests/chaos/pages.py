"""The watch page in Chromium, with hls.js and dash.js: how long no new picture was shown, and its screens."""

import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Error, Page, Request, async_playwright

from tests.chaos.downtime import Downtime
from tests.lab.browser import CHROMIUM, FLAGS

START_MS = 60_000
# Screens of a player that plays or waits. All others are errors for a viewer.
CALM = ("loading", "ready", "starting", "playing", "waiting", "ended")
# Chromium on a busy machine misses pictures for shorter times.
SHORTEST_STALL_MS = 400
LASTING_S = 1.5
WATCH = f"""() => {{
  const video = document.getElementById("video");
  const watched = {{ shown: 0, last: performance.now(), stalls: [], screens: [] }};
  window.watched = watched;
  const note = () => {{
    const now = performance.now();
    if (now - watched.last > {SHORTEST_STALL_MS}) watched.stalls.push([now, now - watched.last]);
    watched.last = now;
    watched.shown += 1;
    video.requestVideoFrameCallback(note);
  }};
  video.requestVideoFrameCallback(note);
  setInterval(() => {{
    const {{ screen, errors }} = window.headwater;
    if (watched.screens.at(-1)?.[1] === screen) return;
    watched.screens.push([performance.now(), screen, errors.at(-1) ?? ""]);
  }}, 200);
}}"""

READ = """() => {
  const { screen, buffered, currentTime, paused, errors } = window.headwater;
  const { buffered: ranges, readyState } = document.getElementById("video");
  const shown = Array.from({ length: ranges.length }, (_, place) => `${ranges.start(place)}-${ranges.end(place)}`);
  const playback = `${buffered.toFixed(1)} s buffered at ${currentTime.toFixed(1)} s${paused ? ", paused" : ""}`;
  return {
    ...window.watched,
    now: performance.now(),
    state: `screen ${screen}, ${playback}, ready ${readyState}, has ${shown.join(" ")}; ${errors.at(-1) ?? ""}`,
  };
}"""


@dataclass(slots=True)
class Watched:
    """A page. ``stalls`` are end and length, ``screens`` the time and name of each, and the
    player's newest error; times are seconds of the monotonic clock."""

    stream: str
    player: str
    page: Page
    stalls: list[tuple[float, float]] = field(default_factory=list)
    screens: list[tuple[float, str, str]] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    # When it showed its newest picture.
    stands_since: float = 0.0
    # What the page says of itself, and its last requests: for a page that does not play.
    state: str = ""
    requests: deque[str] = field(default_factory=lambda: deque(maxlen=6))

    async def read(self) -> None:
        """Take over what the page has recorded."""
        try:
            collected = await self.page.evaluate(READ)
        except Error as error:
            self.crashes.append(f"{self.player}.js: {error}")
            return
        zero = time.monotonic() - collected["now"] / 1000
        self.state = f"{collected['state']}; last requests: {', '.join(self.requests)}"
        self.stands_since = zero + collected["last"] / 1000
        self.stalls = [(zero + at / 1000, length / 1000) for at, length in collected["stalls"]]
        self.screens = [(zero + at / 1000, screen, error) for at, screen, error in collected["screens"]]

    def stalled_s(self, begin: float, end: float) -> float:
        """The longest time without a new picture that ended between two times, or had not ended by then."""
        ended = [length for at, length in self.stalls if begin <= at < end]
        lasting = [end - self.stands_since] if self.stands_since < end - LASTING_S else []
        return max([*ended, *lasting], default=0.0)

    def errors(self, began: float, downtime: Downtime) -> Iterator[str]:
        """What a viewer must not see, with its time since ``began``. While the server is down, the page says so."""
        yield from self.crashes
        for at, screen, error in self.screens:
            if screen not in CALM and not downtime.covers(at):
                yield f"{at - began:.1f} s: {self.player}.js on {self.stream} showed the screen {screen} ({error})"

    def allowed(self, downtime: Downtime) -> int:
        """How often the page said that the server is away, while it was."""
        return sum(screen not in CALM and downtime.covers(at) for at, screen, _ in self.screens)


def _note_in(crashes: list[str], player: str) -> Callable[[Error], None]:
    def note(error: Error) -> None:
        crashes.append(f"{player}.js: {error}")

    return note


def _note_requests(requests: deque[str]) -> Callable[[Request], None]:
    def note(request: Request) -> None:
        requests.append("/".join(request.url.rsplit("/", 2)[1:]))

    return note


@asynccontextmanager
async def watching(base: str, visits: "list[tuple[str, str]]") -> AsyncIterator[list[Watched]]:
    """Pages of (stream, player), which play when the block begins."""
    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        stack.push_async_callback(browser.close)
        pages = []
        for stream, player in visits:
            page = await browser.new_page()
            watched = Watched(stream, player, page)
            page.on("pageerror", _note_in(watched.crashes, player))
            page.on("request", _note_requests(watched.requests))
            await page.goto(f"{base}/watch/{stream}?player={player}&muted=1", timeout=START_MS)
            await page.wait_for_function("() => window.headwater?.frames > 0", timeout=START_MS)
            await page.evaluate(WATCH)
            pages.append(watched)
        yield pages
