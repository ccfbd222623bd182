"""Pause and resume on the watch page in Chromium, in each player, with the real server and a real broadcast."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.browser import (
    Visit,
    check_picture_moves,
    chromium,
    player,
    require_chromium,
    visit,
    wait_for,
    wait_for_screen,
)
from tests.lab.server import Server, serving

require_chromium()
PLAYERS = pytest.mark.parametrize("name", ["hls", "dash", "shaka"])
PAUSE_S = 5
# Shorter than this behind its target, a viewer watches live.
LIVE_S = 2.0
WINDOW_S = 6
# After this long without a connection, the window begins behind the end of the buffer.
LOST_S = WINDOW_S + 6
# As long, but shorter than hls.js waits for an answer.
HANG_S = 9
CONFIG = f"""
[packager]
playlist_window = "{WINDOW_S}s"
[transcoder]
ladder = "source"
"""
LATER = "seconds => window.headwater.drift > seconds"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the stream ``studio``, which is on air throughout."""
    folder = tmp_path_factory.mktemp("pause")
    clip = make_clip(Clip(60, size="320x180", video_kbps=300), folder / "clip.flv")
    with serving(folder / "data", config=CONFIG) as server, publishing(clip, server.create("studio"), loop=True):
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@contextmanager
def watching(browser: Browser, server: Server, name: str, *, ignored: tuple[str, ...] = ()) -> Iterator[Visit]:
    """The page while it plays at the live edge."""
    with visit(browser, f"{server.http}/watch/studio?player={name}&muted=1", ignored=ignored) as opened:
        check_picture_moves(opened.page)
        wait_for(opened.page, "limit => Math.abs(window.headwater.drift) < limit", 1)
        opened.page.evaluate("""() => {
          window.toasts = [];
          const toast = document.getElementById("toast");
          new MutationObserver(() => window.toasts.push(toast.textContent)).observe(toast, { childList: true });
          window.seeks = 0;
          document.getElementById("video").addEventListener("seeking", () => (window.seeks += 1));
        }""")
        yield opened
        opened.assert_quiet()


def let_pass(page: Page, seconds: float) -> None:
    """Wait by the page's clock."""
    wait_for(page, "until => performance.now() > until", page.evaluate("performance.now()") + 1000 * seconds)


def pause_until(page: Page, drift: float) -> float:
    """Pause until the live edge is this many seconds ahead; returns the position."""
    page.keyboard.press("k")
    wait_for(page, LATER, drift)
    at: float = player(page, "currentTime")
    return at


@PLAYERS
def test_a_pause_resumes_where_it_stopped_and_stays_there(browser: Browser, server: Server, name: str) -> None:
    with watching(browser, server, name) as opened:
        page = opened.page
        at = pause_until(page, PAUSE_S)
        page.keyboard.press("k")
        assert player(page, "currentTime") - at < 0.5
        wait_for(page, "at => window.headwater.currentTime > at + 4", at)
        assert player(page, "playbackRate") == 1
        assert player(page, "drift") > PAUSE_S - 0.5
        assert page.evaluate("window.seeks") == 0
        page.mouse.move(200, 200)
        page.get_by_role("button", name="Go live").click()
        wait_for(page, "limit => window.headwater.drift < limit", LIVE_S)
        expect(page.locator("#golive")).to_be_hidden()
        assert player(page, "held") is False


@PLAYERS
def test_a_step_back_is_not_caught_up(browser: Browser, server: Server, name: str) -> None:
    with watching(browser, server, name) as opened:
        page = opened.page
        page.keyboard.press("ArrowLeft")
        wait_for(page, LATER, LIVE_S)
        wait_for(page, "() => !document.getElementById('video').seeking && window.headwater.buffered > 0.5")
        late, at = player(page, "drift"), player(page, "currentTime")
        wait_for(page, "at => window.headwater.currentTime > at + 3", at)
        assert player(page, "playbackRate") == 1
        assert player(page, "drift") > late - 0.1


def test_the_live_badge_goes_live(browser: Browser, server: Server) -> None:
    with watching(browser, server, "hls") as opened:
        page = opened.page
        badge = page.locator("#badge")
        expect(badge).to_be_disabled()
        pause_until(page, PAUSE_S)
        expect(badge).to_have_attribute("data-state", "behind")
        badge.click()
        wait_for(page, "limit => window.headwater.drift < limit", LIVE_S)
        assert player(page, "paused") is False
        expect(badge).to_have_attribute("data-state", "live")


@PLAYERS
def test_a_pause_survives_an_outage(browser: Browser, server: Server, name: str) -> None:
    """The player fails and is loaded again, and the viewer stays paused at the same picture."""
    with watching(browser, server, name, ignored=("ERR_INTERNET_DISCONNECTED",)) as opened:
        page = opened.page
        page.keyboard.press("k")
        before = painted_time(page)
        page.context.set_offline(True)
        wait_for(page, "() => window.headwater.errors.length > 0 || window.headwater.latency > 8")
        page.context.set_offline(False)
        wait_for_screen(page, "playing")
        wait_for(page, "() => document.getElementById('video').readyState >= 2")
        assert player(page, "paused") is True
        assert abs(painted_time(page) - before) < 0.5


@PLAYERS
def test_a_position_that_left_the_window_resumes_at_its_start(browser: Browser, server: Server, name: str) -> None:
    with watching(browser, server, name, ignored=("ERR_INTERNET_DISCONNECTED",)) as opened:
        page = opened.page
        page.keyboard.press("k")
        page.context.set_offline(True)
        let_pass(page, LOST_S)
        page.context.set_offline(False)
        wait_for_screen(page, "playing")
        page.keyboard.press("k")
        wait_for(page, "() => window.toasts.some((text) => text.includes('no longer available'))")
        check_picture_moves(page)
        assert LIVE_S < player(page, "drift") < WINDOW_S + 2


@PLAYERS
def test_a_position_leaves_the_window_while_requests_hang(browser: Browser, server: Server, name: str) -> None:
    """The viewer plays on before the player knows the new window."""
    with watching(browser, server, name) as opened:
        page = opened.page
        page.keyboard.press("k")
        page.route("**/live/studio/**", lambda route: None)
        let_pass(page, HANG_S)
        page.keyboard.press("k")
        wait_for(page, "() => window.headwater.buffered < 0.1")
        let_pass(page, 1)
        page.unroute("**/live/studio/**")
        wait_for(page, "() => window.toasts.some((text) => text.includes('no longer available'))")
        check_picture_moves(page)


def painted_time(page: Page) -> float:
    """When the picture was received, in seconds of the server's clock: it is the same in every load of a player."""
    seconds: float = page.evaluate("() => (Date.now() / 1000) - window.headwater.latency")
    return seconds
