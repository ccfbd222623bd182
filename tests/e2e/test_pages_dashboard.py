"""The operator's dashboard in Chromium."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from media.roles import Role
from origin.api.models import BanView
from tests.e2e.fake_origin import TOKEN, FakeOrigin, serve
from tests.lab.browser import (
    LANDSCAPE,
    PHONE,
    SMALL_PHONE,
    Visit,
    card,
    check_card,
    chromium,
    is_inside,
    kill_from_dashboard,
    require_chromium,
    sign_in,
    visit,
    wait_for,
)

require_chromium()
# A broadcast may end while the dashboard requests its picture.
REFUSED = ("401", "409", "503", "thumbnail.jpg")
LONG_TITLE = "The evening show with a title that is longer than any card is wide, " * 3
PAINTED_PIXELS = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
  .filter((value, i) => i % 4 === 3 && value > 0).length"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeOrigin]:
    """A server with ``studio-a`` live and ``attic`` idle."""
    with serve(tmp_path_factory.mktemp("origin")) as origin:
        origin.add("attic")
        origin.add("studio-a")
        origin.go_live("studio-a")
        yield origin


@pytest.fixture
def dashboard(browser: Browser, origin: FakeOrigin) -> Iterator[Visit]:
    """The dashboard, signed in."""
    with visit(browser, origin.base_url, ignored=REFUSED) as opened:
        sign_in(opened.page, TOKEN)
        check_card(opened.page, "attic", "idle")
        yield opened
        opened.assert_quiet()


def test_the_token_is_asked_for_once(browser: Browser, origin: FakeOrigin) -> None:
    with visit(browser, origin.base_url, ignored=REFUSED) as opened:
        page = opened.page
        page.get_by_label("API token").fill("guessed")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert").filter(has_text="The token is not this server's")).to_be_visible()
        sign_in(page, TOKEN)
        check_card(page, "studio-a", "live")
        page.reload()
        check_card(page, "studio-a", "live")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("API token")).to_be_visible()
        page.reload()
        expect(page.get_by_label("API token")).to_be_visible()
        opened.assert_quiet()


READ = ("Broadcasts", "Events", "Keys")
OPERATE = ("Settings", "Viewer link", "End broadcast")
ADMIN = ("New key", "New stream", "Delete")


@pytest.mark.parametrize(
    ("token", "allowed", "missing"),
    [
        ("see-sesame", READ, OPERATE + ADMIN),
        ("end-sesame", READ + OPERATE, ADMIN),
        (TOKEN, READ + OPERATE + ADMIN, ()),
    ],
)
def test_a_token_shows_only_what_it_allows(
    browser: Browser, origin: FakeOrigin, token: str, allowed: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    origin.add("cellar").private = True
    with visit(browser, origin.base_url, ignored=REFUSED) as opened:
        page = opened.page
        sign_in(page, token)
        check_card(page, "studio-a", "live")
        check_card(page, "cellar", "idle")
        for name in allowed:
            expect(page.get_by_role("button", name=name, exact=True).filter(visible=True).first).to_be_visible()
        for name in missing:
            expect(page.get_by_role("button", name=name, exact=True).filter(visible=True)).to_have_count(0)
        reads = token == "see-sesame"
        expect(page.get_by_text("Read only")).to_be_visible(visible=reads)
        watch = card(page, "cellar").get_by_role("link", name="Watch page", exact=True)
        expect(watch).to_be_visible(visible=not reads)
        page.reload()
        check_card(page, "studio-a", "live")
        for name in missing:
            expect(page.get_by_role("button", name=name, exact=True).filter(visible=True)).to_have_count(0)
        opened.assert_quiet()
    del origin.streams["cellar"]


def test_live_streams_come_first_with_all_details(dashboard: Visit) -> None:
    page = dashboard.page
    assert page.locator("article").evaluate_all("cards => cards.map(card => card.dataset.stream)")[0] == "studio-a"
    live = card(page, "studio-a")
    for text in ("1:02:0", "720 · 30 fps · 2.6 Mbit/s · keyframe every 8.3 s", "AAC 48 kHz · stereo"):
        expect(live).to_contain_text(text)
    for text in ("203.0.113.7:50114", "libobs version 30.2.3", "480p 1.4 Mbit/s", "set Keyframe Interval to 2 s"):
        expect(live).to_contain_text(text)
    playback = live.get_by_label("Playback, as players report it")
    expect(playback).to_contain_text("40")
    for text in ("0.8 s (95 % within 1.9 s)", "1.6 s (95 % within 2.1 s)", "3 · 0.3 % of the time"):
        expect(playback).to_contain_text(text)
    expect(page.locator("#tally")).to_contain_text("1 of ")
    assert live.get_by_role("link", name="Watch page", exact=True).get_attribute("href") == "/watch/studio-a"


def test_the_thumbnail_and_the_charts_are_drawn(dashboard: Visit) -> None:
    page = dashboard.page
    wait_for(page, "() => document.querySelector('[data-stream=\"studio-a\"] img').naturalWidth === 480")
    first = page.locator('[data-stream="studio-a"] img').get_attribute("src")
    chart = card(page, "studio-a").get_by_role("img", name="Bitrate")
    expect(chart).to_be_visible()
    assert chart.locator("canvas").evaluate(PAINTED_PIXELS) > 1000
    wait_for(page, "first => document.querySelector('[data-stream=\"studio-a\"] img').src !== first", first)


def test_a_broadcasters_text_is_never_markup(dashboard: Visit, origin: FakeOrigin) -> None:
    markup = '<img src="x" onerror="window.broken = true"><b>bold</b>'
    stream = origin.streams["studio-a"]
    stream.software = stream.title = markup
    expect(card(dashboard.page, "studio-a").locator(".publisher")).to_contain_text(markup)
    expect(card(dashboard.page, "studio-a").get_by_role("heading")).to_have_text(markup)
    stream.title = ""
    assert dashboard.page.evaluate("window.broken") is None


def test_a_publisher_on_standby_is_named_beside_the_one_on_air(dashboard: Visit, origin: FakeOrigin) -> None:
    stream = origin.streams["studio-a"]
    publisher = card(dashboard.page, "studio-a").locator(".publisher")
    expect(publisher).to_have_text(f"From 203.0.113.7:50114, {stream.software}")
    stream.has_backup = True
    expect(publisher).to_have_text(
        f"From 203.0.113.7:50114, {stream.software} (primary) · backup on standby: 198.51.100.4:1000"
    )
    stream.has_backup = False


def test_the_operator_switches_to_the_publisher_on_standby(dashboard: Visit, origin: FakeOrigin) -> None:
    stream, page = origin.streams["studio-a"], dashboard.page
    shown = card(page, "studio-a")
    switch = shown.get_by_role("button", name="Switch to")
    expect(switch).to_be_hidden()
    stream.has_backup = True
    switch.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("the picture of the backup from its next keyframe on")
    dialog.get_by_role("button", name="Switch to the backup").click()
    expect(dialog).to_be_hidden()
    expect(switch).to_have_text("Switch to primary")
    expect(shown.locator(".publisher")).to_contain_text("From 198.51.100.4:1000 (backup) · primary on standby")
    stream.has_backup, stream.on_air = False, Role.PRIMARY


def test_a_backup_key_is_made_and_removed(dashboard: Visit) -> None:
    page = dashboard.page
    dialog = page.get_by_role("dialog")

    def publish_settings() -> None:
        card(page, "attic").get_by_role("button", name="Publish").click()

    publish_settings()
    expect(dialog).to_contain_text("a second encoder can stand by")
    dialog.get_by_role("button", name="New backup key").click()
    dialog.get_by_role("button", name="Create backup key").click()
    expect(page.get_by_label("Backup Stream Key", exact=True)).to_have_value("attic-k-backup-0123456789abcdef")
    dialog.get_by_role("button", name="Done").click()
    publish_settings()
    expect(dialog).to_contain_text("It cannot be shown again.")
    dialog.get_by_role("button", name="Remove").click()
    dialog.get_by_role("button", name="Remove backup key").click()
    expect(dialog).to_be_hidden()
    publish_settings()
    expect(dialog).to_contain_text("a second encoder can stand by")


def test_kill_with_a_ban(dashboard: Visit, origin: FakeOrigin) -> None:
    page = dashboard.page
    stream = origin.add("rowdy")
    origin.go_live("rowdy")
    check_card(page, "rowdy", "live")
    card(page, "rowdy").get_by_role("button", name="End broadcast").click()
    page.get_by_label("The broadcaster").select_option("600")
    page.get_by_role("button", name="Cancel").click()
    assert stream.killed == []
    kill_from_dashboard(page, "rowdy")
    check_card(page, "rowdy", "idle")
    assert stream.killed == [0]
    origin.go_live("rowdy")
    check_card(page, "rowdy", "live")
    card(page, "rowdy").get_by_role("button", name="End broadcast").click()
    page.get_by_label("The broadcaster").select_option("600")
    page.get_by_role("dialog").get_by_role("button", name="End broadcast").click()
    check_card(page, "rowdy", "idle")
    assert stream.killed == [0, 600]


def test_create_shows_the_key_once_and_rotate_creates_another(dashboard: Visit) -> None:
    page = dashboard.page
    page.get_by_role("button", name="New stream").click()
    page.get_by_label("Name").fill("attic")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert").filter(has_text="a stream called attic already")).to_be_visible()
    page.get_by_label("Name").fill("brand-new")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_label("Server", exact=True)).to_have_value("rtmp://127.0.0.1:1935/live")
    expect(page.get_by_label("Stream Key", exact=True)).to_have_value("brand-new-k-first-0123456789abcdef")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert "k-first" not in page.content()
    card(page, "brand-new").get_by_role("button", name="New key").click()
    page.get_by_role("button", name="Create new key").click()
    expect(page.get_by_label("Stream Key", exact=True)).to_have_value("brand-new-k-second-0123456789abcdef")
    page.get_by_role("button", name="Done").click()
    card(page, "brand-new").get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete stream").click()
    expect(card(page, "brand-new")).to_have_count(0)


def test_the_events_of_a_broadcast_are_listed_newest_first(dashboard: Visit) -> None:
    page = dashboard.page
    expect(card(page, "attic").get_by_role("button", name="Events")).to_be_hidden()
    card(page, "studio-a").get_by_role("button", name="Events").click()
    rows = page.get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("the publisher from 203.0.113.7:50114 was lost")
    expect(rows.nth(2).locator('[data-column="Time"]')).to_contain_text("Nov 21, 2026")


def test_the_keys_of_a_stream_are_listed(dashboard: Visit) -> None:
    page = dashboard.page
    card(page, "attic").get_by_role("button", name="Keys").click()
    rows = page.get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.nth(1).locator('[data-column="Last used"]')).to_have_text("never")
    expect(rows.nth(2)).to_contain_text("from 203.0.113.7")
    expect(rows.nth(2).locator('[data-column="Addresses"]')).to_have_text("203.0.113.0/24, 2001:db8::/32")


def test_a_ban_is_shown_on_a_stream_that_is_not_live(dashboard: Visit, origin: FakeOrigin) -> None:
    origin.add("banned").ban = BanView(until=None, reason="wrong scene")
    expect(card(dashboard.page, "banned")).to_contain_text("Banned: wrong scene")


def test_past_broadcasts_are_listed_with_links(dashboard: Visit, origin: FakeOrigin) -> None:
    page = dashboard.page
    card(page, "attic").get_by_role("button", name="Broadcasts").click()
    expect(page.get_by_role("dialog")).to_contain_text("None yet")
    page.get_by_role("button", name="Close").click()
    stream = origin.add("archive")
    broadcast = origin.go_live("archive")
    stream.end()
    card(page, "archive").get_by_role("button", name="Broadcasts").click()
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("1:12:15")
    expect(row).to_contain_text("1.3 GB")
    links = row.get_by_role("link").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    prefix = f"/live/archive/{broadcast.id}"
    assert links == [f"/watch/archive?broadcast={broadcast.id}", f"{prefix}/master.m3u8", f"{prefix}/manifest.mpd"]


def test_a_recording_is_kept_released_and_deleted(dashboard: Visit, origin: FakeOrigin) -> None:
    page = dashboard.page
    stream = origin.add("vault")
    broadcast = origin.go_live("vault")
    stream.end()
    card(page, "vault").get_by_role("button", name="Broadcasts").click()
    row = page.get_by_role("row").nth(1)
    row.get_by_role("button", name="Keep").click()
    expect(row.get_by_role("button", name="Release")).to_be_visible()
    expect(row.get_by_role("button", name="Delete")).to_be_hidden()
    assert stream.kept == {broadcast.id}
    row.get_by_role("button", name="Release").click()
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete recording").click()
    expect(page.get_by_role("dialog", name="Broadcasts of vault")).to_contain_text("None yet")
    assert stream.past == []


def test_a_private_stream_has_links_for_viewers(dashboard: Visit, origin: FakeOrigin) -> None:
    page = dashboard.page
    page.get_by_role("button", name="New stream").click()
    page.get_by_label("Name").fill("backstage")
    page.get_by_label("Private: viewers need a link").check()
    page.get_by_role("button", name="Create").click()
    page.get_by_role("button", name="Done").click()
    backstage = card(page, "backstage")
    expect(backstage).to_contain_text("Private")
    expect(card(page, "attic").get_by_role("button", name="Viewer link")).to_be_hidden()
    backstage.get_by_role("button", name="Viewer link").click()
    page.get_by_label("Valid for").select_option("86400")
    page.get_by_role("button", name="Create link").click()
    watch = f"{origin.base_url}/watch/backstage?token=for-86400"
    expect(page.get_by_label("Watch page", exact=True)).to_have_value(watch)
    expect(page.get_by_label("HLS", exact=True)).to_have_value(
        f"{origin.base_url}/live/backstage/master.m3u8?token=for-86400"
    )
    page.get_by_role("button", name="Done").click()
    with page.expect_popup() as opened:
        backstage.get_by_role("link", name="Watch page").click()
    opened.value.wait_for_url(f"{origin.base_url}/watch/backstage?token=for-3600")
    opened.value.close()


def test_a_private_streams_recordings_open_with_a_token(dashboard: Visit, origin: FakeOrigin) -> None:
    stream = origin.add("sealed")
    stream.private = True
    broadcast = origin.go_live("sealed")
    stream.end()
    card(dashboard.page, "sealed").get_by_role("button", name="Broadcasts").click()
    row = dashboard.page.get_by_role("row").nth(1)
    expect(row.get_by_role("link")).to_have_count(3)
    links = row.get_by_role("link").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert links == [
        f"{origin.base_url}/watch/sealed?broadcast={broadcast.id}&token=for-3600",
        f"{origin.base_url}/live/sealed/{broadcast.id}/master.m3u8?token=for-3600",
        f"{origin.base_url}/live/sealed/{broadcast.id}/manifest.mpd?token=for-3600",
    ]


def test_settings_can_be_changed(dashboard: Visit, origin: FakeOrigin) -> None:
    page = dashboard.page
    stream = origin.add("lobby")
    card(page, "lobby").get_by_role("button", name="Settings").click()
    page.get_by_label("Title").fill("The lobby ")
    page.get_by_label("Private: viewers need a link").check()
    page.get_by_role("button", name="Save").click()
    expect(card(page, "lobby").get_by_role("heading")).to_have_text("The lobby")
    expect(card(page, "lobby")).to_contain_text("lobbyPrivate")
    assert (stream.title, stream.private) == ("The lobby", True)
    card(page, "lobby").get_by_role("button", name="Settings").click()
    expect(page.get_by_label("Title")).to_have_value("The lobby")
    page.get_by_label("Private: viewers need a link").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(card(page, "lobby").locator(".private")).to_be_hidden()


def test_an_outage_is_shown_until_it_ends(dashboard: Visit, origin: FakeOrigin) -> None:
    trouble = dashboard.page.locator("#trouble")
    origin.down = True
    try:
        expect(trouble).to_contain_text("The server is down", timeout=10_000)
    finally:
        origin.down = False
    expect(trouble).to_be_hidden(timeout=10_000)
    check_card(dashboard.page, "studio-a", "live")


def test_what_the_server_warns_of_is_shown(dashboard: Visit, origin: FakeOrigin) -> None:
    notice = dashboard.page.locator("#notice")
    origin.warnings.append("the disk of /var/lib/headwater has 3 % left")
    expect(notice).to_have_text("the disk of /var/lib/headwater has 3 % left")
    origin.warnings.clear()
    expect(notice).to_be_hidden()


def test_the_clocks_stop_while_the_server_is_away(dashboard: Visit, origin: FakeOrigin) -> None:
    page = dashboard.page
    uptime = card(page, "studio-a").locator(".badge span")
    origin.down = True
    try:
        expect(page.locator(".board")).to_have_class("board stale", timeout=10_000)
        stopped = uptime.inner_text()
        page.wait_for_timeout(2500)
        assert uptime.inner_text() == stopped
    finally:
        origin.down = False
    expect(page.locator(".board")).to_have_class("board", timeout=10_000)


def test_figures_that_are_not_measured_yet_are_not_shown(dashboard: Visit, origin: FakeOrigin) -> None:
    page = dashboard.page
    stream = origin.add("fresh")
    stream.measured = False
    origin.go_live("fresh")
    fresh = card(page, "fresh")
    expect(fresh).to_contain_text("720 · 30 fps · keyframe every 8.3 s")
    expect(fresh).to_contain_text("480p")
    expect(fresh).not_to_contain_text("0 kbit/s")
    fresh.get_by_role("button", name="Broadcasts").click()
    stream.end()
    page.get_by_role("button", name="Close").click()
    check_card(page, "fresh", "idle")
    fresh.get_by_role("button", name="Broadcasts").click()
    expect(page.get_by_role("row").nth(1).locator('[data-column="Size"]')).to_have_text("\N{EN DASH}")


def test_a_long_title_keeps_within_its_card(dashboard: Visit, origin: FakeOrigin) -> None:
    page = dashboard.page
    for name, lines in (("studio-a", 2), ("attic", 1)):
        origin.streams[name].title = LONG_TITLE
        heading = card(page, name).get_by_role("heading")
        expect(heading).to_have_text(LONG_TITLE)
        height, line = heading.evaluate("e => [e.clientHeight, parseFloat(getComputedStyle(e).lineHeight)]")
        assert round(height / line) == lines
        origin.streams[name].title = ""
        expect(heading).to_have_text(name)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")


def test_an_idle_stream_shows_when_it_was_last_live(dashboard: Visit, origin: FakeOrigin) -> None:
    page = dashboard.page
    expect(card(page, "attic").locator(".last")).to_have_text("Never live")
    origin.add("lounge").last_live_at = time.time() - 3 * 3600 - 65
    expect(card(page, "lounge").locator(".last")).to_have_text("Last live 3 h 1 min ago")
    expect(card(page, "studio-a").locator(".last")).to_be_hidden()


def test_the_publish_settings_explain_that_the_key_was_shown_once(dashboard: Visit) -> None:
    page = dashboard.page
    card(page, "attic").get_by_role("button", name="Publish").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Server", exact=True)).to_have_value("rtmp://127.0.0.1:1935/live")
    expect(dialog).to_contain_text("Created on Nov 21, 2026")
    expect(dialog).to_contain_text("cannot be shown again")
    for words in ("Settings, Stream, Service", "Custom…", "Keyframe Interval", "2 s"):
        expect(dialog.locator(".howto")).to_contain_text(words)
    dialog.get_by_role("button", name="Lost it? New key").click()
    page.get_by_role("button", name="Create new key").click()
    expect(page.get_by_label("Stream Key", exact=True)).to_have_value("attic-k-second-0123456789abcdef")
    expect(page.get_by_role("dialog")).to_contain_text("shown only this once")


def test_the_charts_follow_the_colour_scheme(dashboard: Visit) -> None:
    page = dashboard.page
    canvas = card(page, "studio-a").get_by_role("img", name="Bitrate").locator("canvas")
    expect(canvas).to_be_visible()
    dark = canvas.evaluate("canvas => canvas.toDataURL()")
    page.emulate_media(color_scheme="light")
    wait_for(page, "dark => document.querySelector('.chart canvas').toDataURL() !== dark", dark)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(244, 247, 249)"


@pytest.mark.parametrize("viewport", [PHONE, SMALL_PHONE, LANDSCAPE], ids=["phone", "small", "landscape"])
def test_the_links_of_a_recording_are_within_a_phones_window(
    browser: Browser, origin: FakeOrigin, viewport: ViewportSize
) -> None:
    if "shelf" not in origin.streams:
        stream = origin.add("shelf")
        origin.go_live("shelf")
        stream.end()
    with visit(browser, origin.base_url, viewport=viewport, touch=True) as opened:
        page = opened.page
        sign_in(page, TOKEN)
        card(page, "shelf").get_by_role("button", name="Broadcasts").tap()
        links = page.get_by_role("dialog").get_by_role("link")
        expect(links).to_have_text(["Watch", "HLS", "DASH"])
        assert all(is_inside(page, link) for link in links.all())
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        opened.assert_quiet()


def test_nothing_scrolls_sideways_on_a_phone(browser: Browser, origin: FakeOrigin) -> None:
    with visit(browser, origin.base_url, viewport=PHONE, touch=True) as opened:
        sign_in(opened.page, TOKEN)
        check_card(opened.page, "studio-a", "live")
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        opened.assert_quiet()
