"""axe-core finds nothing on the pages: in every state, in both colour schemes, on a desktop and on a phone."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e.fake_origin import TOKEN, FakeOrigin, serve
from tests.lab.axe import violations
from tests.lab.browser import (
    DESKTOP,
    PHONE,
    ColorScheme,
    card,
    check_card,
    chromium,
    require_chromium,
    sign_in,
    visit,
    wait_for,
    wait_for_screen,
)

require_chromium()
SCHEMES = pytest.mark.parametrize("scheme", ["dark", "light"])
SIZES = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeOrigin]:
    """A server with ``studio-a`` live, a recording of ``recorded``, ``backstage`` private and ``attic`` idle."""
    with serve(tmp_path_factory.mktemp("origin")) as origin:
        recorded = origin.add("recorded")
        origin.go_live("recorded").wait_for(4)
        recorded.end()
        origin.add("studio-a").title = "The evening show"
        origin.go_live("studio-a")
        origin.add("backstage").private = True
        origin.add("attic")
        yield origin


def plays(page: Page) -> None:
    wait_for(page, "() => window.headwater.frames > 5")
    page.mouse.move(150, 100)


def watches_live(page: Page) -> None:
    plays(page)
    page.keyboard.press("q")
    expect(page.get_by_role("menu")).to_be_visible()
    page.get_by_text("Details", exact=True).press("Enter")


def is_behind(page: Page) -> None:
    wait_for(page, "() => window.headwater.currentTime > 10")
    page.keyboard.press("ArrowLeft")
    page.mouse.move(150, 100)
    expect(page.get_by_role("button", name="Go live")).to_be_visible()


def watches_a_recording(page: Page) -> None:
    page.get_by_role("button", name="Watch the last broadcast").click()
    plays(page)


WATCH: dict[str, tuple[str, Callable[[Page], None]]] = {
    "live": ("studio-a", watches_live),
    "behind": ("studio-a", is_behind),
    "ready": ("studio-a?autoplay=0", lambda page: wait_for_screen(page, "ready")),
    "offline": ("recorded", lambda page: wait_for_screen(page, "offline")),
    "recording": ("recorded", watches_a_recording),
    "private": ("backstage", lambda page: wait_for_screen(page, "refused")),
    "missing": ("nowhere", lambda page: wait_for_screen(page, "missing")),
    "not a name": ("No_name", lambda page: expect(page.get_by_role("heading")).to_be_visible()),
}


@SIZES
@SCHEMES
@pytest.mark.parametrize("state", WATCH)
def test_the_watch_page(
    origin: FakeOrigin, browser: Browser, scheme: ColorScheme, viewport: ViewportSize, state: str
) -> None:
    address, prepare = WATCH[state]
    with visit(browser, f"{origin.base_url}/watch/{address}", viewport=viewport, scheme=scheme) as opened:
        prepare(opened.page)
        assert violations(opened.page) == []


DIALOGS = {
    "Publish": "attic",
    "New key": "attic",
    "Settings": "attic",
    "Delete": "attic",
    "Broadcasts": "recorded",
    "Events": "studio-a",
    "Viewer link": "backstage",
    "End broadcast": "studio-a",
}


@SIZES
@SCHEMES
def test_the_dashboard(origin: FakeOrigin, browser: Browser, scheme: ColorScheme, viewport: ViewportSize) -> None:
    with visit(browser, origin.base_url, viewport=viewport, scheme=scheme) as opened:
        page = opened.page
        expect(page.get_by_label("API token")).to_be_visible()
        assert violations(page) == []
        sign_in(page, TOKEN)
        check_card(page, "studio-a", "live")
        expect(card(page, "studio-a").get_by_role("img", name="Bitrate")).to_be_visible()
        assert violations(page) == []
        page.get_by_role("button", name="New stream").click()
        assert violations(page) == []
        page.get_by_role("button", name="Cancel").click()
        for button, stream in DIALOGS.items():
            card(page, stream).get_by_role("button", name=button).click()
            expect(page.get_by_role("dialog")).to_be_visible()
            assert violations(page) == [], button
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)


def test_axe_reads_the_colours(origin: FakeOrigin, browser: Browser) -> None:
    """A white label on a light red is found, so the tests above look at what is painted."""
    with visit(browser, origin.base_url) as opened:
        opened.page.get_by_role("button", name="Sign in").evaluate(
            "button => Object.assign(button.style, { background: '#f2545b', color: 'white' })"
        )
        assert any(found.startswith("color-contrast: ") for found in violations(opened.page))
