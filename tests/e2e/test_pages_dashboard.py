"""The operator's dashboard in Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.fake_origin import TOKEN, FakeOrigin, serve
from tests.lab.browser import (
    PHONE,
    Visit,
    card,
    check_card,
    chromium,
    kill_from_dashboard,
    require_chromium,
    sign_in,
    visit,
    wait_for,
)

require_chromium()
REFUSED = ("401", "409", "503")


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
        expect(page.get_by_role("alert").filter(has_text="not this server's token")).to_be_visible()
        sign_in(page, TOKEN)
        check_card(page, "studio-a", "live")
        page.reload()
        check_card(page, "studio-a", "live")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("API token")).to_be_visible()
        page.reload()
        expect(page.get_by_label("API token")).to_be_visible()
        opened.assert_quiet()


def test_live_streams_come_first_with_all_details(dashboard: Visit) -> None:
    page = dashboard.page
    assert page.locator("article").evaluate_all("cards => cards.map(card => card.dataset.stream)")[0] == "studio-a"
    live = card(page, "studio-a")
    for text in ("1:02:0", "720 · 30 fps · 2.6 Mbit/s · keyframe every 8.3 s", "AAC 48 kHz · stereo"):
        expect(live).to_contain_text(text)
    for text in ("203.0.113.7:50114", "libobs version 30.2.3", "480p 1.4 Mbit/s", "set Keyframe Interval to 2 s"):
        expect(live).to_contain_text(text)
    expect(page.locator("#tally")).to_contain_text("1 of ")
    assert live.get_by_role("link", name="Watch page", exact=True).get_attribute("href") == "/watch/studio-a"


def test_the_thumbnail_and_the_charts_are_drawn(dashboard: Visit) -> None:
    page = dashboard.page
    wait_for(page, "() => document.querySelector('[data-stream=\"studio-a\"] img').naturalWidth === 480")
    first = page.locator('[data-stream="studio-a"] img').get_attribute("src")
    chart = card(page, "studio-a").get_by_role("img", name="Bitrate")
    expect(chart).to_be_visible()
    assert len(chart.locator("path.line").get_attribute("d") or "") > 1000
    wait_for(page, "first => document.querySelector('[data-stream=\"studio-a\"] img').src !== first", first)


def test_a_broadcasters_text_is_never_markup(dashboard: Visit, origin: FakeOrigin) -> None:
    markup = '<img src="x" onerror="window.broken = true"><b>bold</b>'
    stream = origin.streams["studio-a"]
    stream.software = stream.title = markup
    expect(card(dashboard.page, "studio-a").locator(".publisher")).to_contain_text(markup)
    expect(card(dashboard.page, "studio-a").get_by_role("heading")).to_have_text(markup)
    stream.title = ""
    assert dashboard.page.evaluate("window.broken") is None


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


def test_nothing_scrolls_sideways_on_a_phone(browser: Browser, origin: FakeOrigin) -> None:
    with visit(browser, origin.base_url, viewport=PHONE, touch=True) as opened:
        sign_in(opened.page, TOKEN)
        check_card(opened.page, "studio-a", "live")
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        opened.assert_quiet()
