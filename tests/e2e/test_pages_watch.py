"""The watch page in Chromium: offline, live, ended, and the next broadcast."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.e2e.fake_origin import FakeOrigin, serve
from tests.lab.browser import (
    LANDSCAPE,
    PHONE,
    SMALL_PHONE,
    check_ladder,
    check_picture_moves,
    check_sound,
    choose_quality,
    chromium,
    is_inside,
    player,
    quality_menu,
    require_chromium,
    visit,
    wait_for,
    wait_for_screen,
)

require_chromium()
RIGHTMOST = "buttons => Math.max(...buttons.map((button) => button.getBoundingClientRect().right))"
ENOUGH_TO_GO_BACK_S = 10
HAS_PICTURE = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
  .some((value, i) => i % 4 < 3 && value > 0)"""
LADDER = ["360p", "180p", "Audio only"]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeOrigin]:
    """A server with ``always``, a stream that is live throughout."""
    with serve(tmp_path_factory.mktemp("origin")) as origin:
        origin.add("always")
        origin.go_live("always")
        yield origin


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.mark.parametrize(("name", "library"), [("hls", "hls.js"), ("dash", "dash.js"), ("shaka", "shaka-player")])
def test_every_player_shows_the_picture_and_switches_quality(
    origin: FakeOrigin, browser: Browser, name: str, library: str
) -> None:
    with visit(browser, f"{origin.base_url}/watch/always?player={name}") as opened:
        page = opened.page
        check_picture_moves(page)
        check_sound(page)
        check_ladder(page, LADDER)
        assert player(page, "player") == library
        assert player(page, "live") is True
        assert 0.5 < player(page, "latency") < 12
        quality_menu(page)
        choose_quality(page, "audio")
        wait_for(page, "() => window.headwater.width === 0 && window.headwater.currentTime > 0.5")
        check_sound(page)
        quality_menu(page)
        choose_quality(page, "auto")
        check_picture_moves(page)
        opened.assert_quiet()


def test_hls_js_is_the_default_player(origin: FakeOrigin, browser: Browser) -> None:
    with visit(browser, f"{origin.base_url}/watch/always") as opened:
        check_picture_moves(opened.page)
        assert player(opened.page, "player") == "hls.js"
        assert 0 < player(opened.page, "latency") < 10
        assert player(opened.page, "buffered") > 0
        expect(opened.page.locator("#badge")).to_contain_text("LIVE")
        opened.assert_quiet()


def test_the_page_follows_a_stream_from_offline_to_live_to_ended_to_live(
    origin: FakeOrigin, browser: Browser
) -> None:
    stream = origin.add("evening")
    with visit(browser, f"{origin.base_url}/watch/evening") as opened:
        page = opened.page
        wait_for_screen(page, "offline")
        expect(page.get_by_role("heading", name="evening is offline")).to_be_visible()
        first = origin.go_live("evening")
        check_picture_moves(page)
        assert player(page, "broadcast") == first.id
        stream.end()
        wait_for_screen(page, "ended")
        expect(page.get_by_role("button", name="Watch from the start")).to_be_visible()
        second = origin.go_live("evening")
        check_picture_moves(page)
        assert player(page, "broadcast") == second.id
        opened.assert_quiet()
    stream.end()


def test_the_last_broadcast_can_be_watched_until_the_next_begins(origin: FakeOrigin, browser: Browser) -> None:
    stream = origin.add("recorded")
    first = origin.go_live("recorded")
    # It must not end before it is paused: then the page would switch to live by itself.
    first.wait_for(6)
    stream.end()
    with visit(browser, f"{origin.base_url}/watch/recorded") as opened:
        page = opened.page
        page.get_by_role("button", name="Watch the last broadcast").click()
        wait_for(page, "() => window.headwater.screen === 'playing' && window.headwater.frames > 0")
        assert player(page, "broadcast") == first.id
        assert player(page, "live") is False
        expect(page.locator("#badge")).to_contain_text("RECORDING")
        page.keyboard.press("k")
        second = origin.go_live("recorded")
        page.get_by_role("button", name="A new broadcast is on air").click()
        check_picture_moves(page)
        assert player(page, "broadcast") == second.id
        opened.assert_quiet()
    stream.end()
    with visit(browser, f"{origin.base_url}/watch/recorded?broadcast={first.id}") as opened:
        wait_for(opened.page, "() => window.headwater.frames > 0")
        assert player(opened.page, "broadcast") == first.id
        opened.assert_quiet()


def test_the_page_waits_for_a_reconnecting_broadcaster(origin: FakeOrigin, browser: Browser) -> None:
    stream = origin.add("flaky")
    broadcast = origin.go_live("flaky")
    with visit(browser, f"{origin.base_url}/watch/flaky") as opened:
        page = opened.page
        check_picture_moves(page)
        broadcast.freeze()
        stream.waiting = True
        wait_for_screen(page, "waiting")
        expect(page.get_by_role("heading", name="The broadcaster is reconnecting")).to_be_visible()
        broadcast.thaw()
        stream.waiting = False
        check_picture_moves(page)
        assert player(page, "broadcast") == broadcast.id
        assert player(page, "errors") == []
        opened.assert_quiet()
    stream.end()


def test_the_page_waits_for_the_first_segment(origin: FakeOrigin, browser: Browser) -> None:
    stream = origin.add("slow-start")
    broadcast = origin.go_live("slow-start")
    origin.withheld.add(broadcast.id)
    with visit(browser, f"{origin.base_url}/watch/slow-start", ignored=("404",)) as opened:
        wait_for_screen(opened.page, "starting")
        expect(opened.page.get_by_role("heading", name="Starting")).to_be_visible()
        origin.withheld.clear()
        check_picture_moves(opened.page)
        opened.assert_quiet()
    stream.end()


def test_an_outage_is_shown_and_recovered_from(origin: FakeOrigin, browser: Browser) -> None:
    with visit(browser, f"{origin.base_url}/watch/always", ignored=("503",)) as opened:
        check_picture_moves(opened.page)
        origin.down = True
        try:
            wait_for_screen(opened.page, "error")
            expect(opened.page.get_by_role("heading", name="The connection to the server")).to_be_visible()
        finally:
            origin.down = False
        check_picture_moves(opened.page)
        opened.assert_quiet()


def test_the_title_and_the_last_picture_stay_while_the_server_is_away(origin: FakeOrigin, browser: Browser) -> None:
    stream = origin.streams["always"]
    stream.title = "The evening show"
    with visit(browser, f"{origin.base_url}/watch/always", ignored=("503",)) as opened:
        page = opened.page
        check_picture_moves(page)
        origin.down = True
        try:
            wait_for_screen(page, "error")
            expect(page.get_by_role("heading", level=1)).to_have_text("The evening show")
            expect(page.locator("#summary")).to_have_text("No connection to the server")
            still = page.locator("#still")
            expect(still).to_be_visible()
            assert still.evaluate(HAS_PICTURE)
        finally:
            origin.down = False
            stream.title = ""
        check_picture_moves(page)
        expect(still).to_be_hidden()


def test_a_reconnecting_broadcaster_is_not_live(origin: FakeOrigin, browser: Browser) -> None:
    stream = origin.add("wavering")
    broadcast = origin.go_live("wavering")
    with visit(browser, f"{origin.base_url}/watch/wavering") as opened:
        page = opened.page
        check_picture_moves(page)
        badge = page.locator("#badge")
        expect(badge).to_contain_text("LIVE")
        assert page.title().startswith("● ")
        broadcast.freeze()
        stream.waiting = True
        expect(badge).to_have_text("RECONNECTING", timeout=20_000)
        assert not page.title().startswith("● ")
        expect(page.locator("#golive")).to_be_hidden()
        broadcast.thaw()
        stream.waiting = False
        expect(badge).to_contain_text("LIVE", timeout=20_000)
    stream.end()


def test_the_viewer_can_return_to_the_live_edge(origin: FakeOrigin, browser: Browser) -> None:
    with visit(browser, f"{origin.base_url}/watch/always") as opened:
        page = opened.page
        check_picture_moves(page)
        go_live = page.get_by_role("button", name="Go live")
        expect(go_live).to_be_hidden()
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        wait_for(page, "() => window.headwater.latency > 12")
        expect(go_live).to_be_visible()
        go_live.click()
        wait_for(page, "() => window.headwater.latency < 8")
        expect(go_live).to_be_hidden()
        opened.assert_quiet()


CHOOSE_RATE = """async (situation) => {
  const main = document.querySelector("script[type=module]").src;
  return (await import(new URL("../engines/pace.js", main).href)).chooseRate(situation);
}"""


@pytest.mark.parametrize(
    ("drift", "buffered", "correcting", "rate"),
    [
        (0.0, 1.0, False, 1.0),
        (0.08, 1.0, False, 1.0),
        (0.08, 1.0, True, 1.005),
        (0.2, 1.0, False, 1.02),
        (-0.2, 1.0, False, 0.98),
        (5.0, 3.0, False, 1.03),
        (-5.0, 3.0, False, 0.97),
        (0.5, 0.1, True, 1.0),
        (-0.5, 0.1, True, 0.97),
        (60.0, 9.0, True, 1.0),
    ],
)
def test_the_playback_rate_changes_by_at_most_three_percent(
    origin: FakeOrigin, browser: Browser, drift: float, buffered: float, correcting: bool, rate: float
) -> None:
    with visit(browser, f"{origin.base_url}/watch/always?autoplay=0") as opened:
        situation = {"drift": drift, "buffered": buffered, "correcting": correcting}
        assert opened.page.evaluate(CHOOSE_RATE, situation) == pytest.approx(rate)


def test_a_small_delay_is_corrected_by_the_playback_rate_alone(origin: FakeOrigin, browser: Browser) -> None:
    with visit(browser, f"{origin.base_url}/watch/always") as opened:
        page = opened.page
        check_picture_moves(page)
        page.evaluate("""() => {
          window.seeks = 0;
          const video = document.getElementById("video");
          video.addEventListener("seeking", () => (window.seeks += 1));
          video.currentTime -= 1.5;
        }""")
        wait_for(page, "() => window.headwater.drift > 0.5 && window.headwater.playbackRate === 1.03")
        late = player(page, "drift")
        wait_for(page, "late => window.headwater.drift < late - 0.1", late)
        assert page.evaluate("window.seeks") == 1
        opened.assert_quiet()


def test_normal_latency_does_not_change_the_playback_rate(origin: FakeOrigin, browser: Browser) -> None:
    with visit(browser, f"{origin.base_url}/watch/always?latency=normal") as opened:
        page = opened.page
        check_picture_moves(page)
        page.keyboard.press("ArrowLeft")
        start = player(page, "currentTime")
        wait_for(page, "start => window.headwater.currentTime > start + 2", start)
        assert player(page, "playbackRate") == 1
        opened.assert_quiet()


def test_the_badge_shows_the_latency(origin: FakeOrigin, browser: Browser) -> None:
    with visit(browser, f"{origin.base_url}/watch/always") as opened:
        check_picture_moves(opened.page)
        expect(opened.page.locator("#badge")).to_have_text(re.compile(r"LIVE\d\.\d s"))
        opened.assert_quiet()


def test_keyboard_shortcuts(origin: FakeOrigin, browser: Browser) -> None:
    with visit(browser, f"{origin.base_url}/watch/always") as opened:
        page = opened.page
        check_picture_moves(page)
        page.keyboard.press("k")
        assert player(page, "paused") is True
        page.keyboard.press(" ")
        assert player(page, "paused") is False
        page.keyboard.press("m")
        expect(page.get_by_role("button", name="Tap for sound")).to_be_visible()
        page.keyboard.press("q")
        expect(page.get_by_role("menuitemradio", name="Auto")).to_be_focused()
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("menuitemradio", name="360p 700")).to_be_focused()
        page.keyboard.press("Enter")
        assert player(page, "selected") == "360p"
        expect(page.get_by_role("menu")).to_be_hidden()
        opened.assert_quiet()


def test_a_muted_player_offers_to_unmute(origin: FakeOrigin, browser: Browser) -> None:
    with visit(browser, f"{origin.base_url}/watch/always?muted=1") as opened:
        check_picture_moves(opened.page)
        unmute = opened.page.get_by_role("button", name="Tap for sound")
        unmute.click()
        expect(unmute).to_be_hidden()
        assert opened.page.evaluate("document.getElementById('video').muted") is False
        opened.assert_quiet()


def test_without_autoplay_nothing_loads_until_play(origin: FakeOrigin, browser: Browser) -> None:
    with visit(browser, f"{origin.base_url}/watch/always?autoplay=0") as opened:
        wait_for_screen(opened.page, "ready")
        assert player(opened.page, "player") is None
        opened.page.get_by_role("button", name="Play", exact=True).click()
        check_picture_moves(opened.page)
        opened.assert_quiet()


def test_an_unknown_stream_is_reported_until_it_is_created(origin: FakeOrigin, browser: Browser) -> None:
    with visit(browser, f"{origin.base_url}/watch/not-yet", ignored=("404",)) as opened:
        wait_for_screen(opened.page, "missing")
        origin.add("not-yet")
        wait_for_screen(opened.page, "offline")
        opened.assert_quiet()


def test_the_page_plays_embedded_in_another_site(origin: FakeOrigin, browser: Browser) -> None:
    elsewhere = origin.base_url.replace("127.0.0.1", "localhost")
    with visit(browser, f"{elsewhere}/embedding/always", ignored=("favicon",)) as opened:
        page = opened.page
        inner = page.frames[1]
        inner.wait_for_function("() => window.headwater?.frames > 10")
        assert inner.evaluate("document.getElementById('stage').clientHeight") == 360
        opened.assert_quiet()


def test_on_a_phone_nothing_scrolls_sideways_and_a_tap_shows_the_controls(
    origin: FakeOrigin, browser: Browser
) -> None:
    with visit(browser, f"{origin.base_url}/watch/always", viewport=PHONE, touch=True) as opened:
        page = opened.page
        check_picture_moves(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        wait_for(page, "() => document.getElementById('stage').classList.contains('resting')")
        page.touchscreen.tap(190, 60)
        assert player(page, "paused") is False
        page.locator("#quality").tap()
        entry = page.locator('[data-quality="180p"]')
        assert is_inside(page, entry)
        entry.tap()
        assert player(page, "selected") == "180p"
        opened.assert_quiet()


PORTRAITS = pytest.mark.parametrize("viewport", [SMALL_PHONE, PHONE], ids=["small", "phone"])


@PORTRAITS
def test_on_a_phone_the_quality_menu_leaves_the_picture_free(
    origin: FakeOrigin, browser: Browser, viewport: ViewportSize
) -> None:
    with visit(browser, f"{origin.base_url}/watch/always", viewport=viewport, touch=True) as opened:
        page = opened.page
        check_picture_moves(page)
        page.touchscreen.tap(100, 60)
        page.locator("#quality").tap()
        picture, menu = page.locator("#video").bounding_box(), page.get_by_role("menu").bounding_box()
        assert picture is not None and menu is not None
        assert menu["y"] >= picture["y"] + picture["height"]
        assert all(is_inside(page, item) for item in page.get_by_role("menuitemradio").all())


@PORTRAITS
def test_on_a_phone_the_page_is_used_and_its_controls_fit(
    origin: FakeOrigin, browser: Browser, viewport: ViewportSize
) -> None:
    with visit(browser, f"{origin.base_url}/watch/always", viewport=viewport, touch=True) as opened:
        page = opened.page
        wait_for(page, "seconds => window.headwater.currentTime > seconds", ENOUGH_TO_GO_BACK_S)
        page.keyboard.press("ArrowLeft")
        page.touchscreen.tap(100, 60)
        expect(page.get_by_role("button", name="Go live")).to_be_visible()
        assert page.locator("#controls button").evaluate_all(RIGHTMOST) <= viewport["width"]
        facts = page.locator("#facts").bounding_box()
        assert facts is not None and facts["y"] + facts["height"] > 0.7 * viewport["height"]
        seek = page.locator(".seek").bounding_box()
        assert seek is not None and seek["height"] >= 24


@PORTRAITS
def test_on_a_phone_a_panel_fills_the_page(origin: FakeOrigin, browser: Browser, viewport: ViewportSize) -> None:
    if "empty" not in origin.streams:
        origin.add("empty")
    with visit(browser, f"{origin.base_url}/watch/empty", viewport=viewport, touch=True) as opened:
        wait_for_screen(opened.page, "offline")
        stage = opened.page.locator("#stage").bounding_box()
        assert stage is not None and stage["height"] > 0.75 * viewport["height"]


def test_in_landscape_the_picture_fills_a_phone(origin: FakeOrigin, browser: Browser) -> None:
    with visit(browser, f"{origin.base_url}/watch/always", viewport=LANDSCAPE, touch=True) as opened:
        page = opened.page
        check_picture_moves(page)
        stage = page.locator("#stage").bounding_box()
        assert stage == {"x": 0, "y": 0, **LANDSCAPE}
        page.touchscreen.tap(100, 60)
        page.locator("#quality").tap()
        assert all(is_inside(page, item) for item in page.get_by_role("menuitemradio").all())
