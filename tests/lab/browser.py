"""A headless Chromium and checks of Headwater's pages, for any server that serves them.

The checks take a page that is already open on ``{base_url}/watch/{stream}`` or on the dashboard.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)
from playwright.sync_api import (
    TimeoutError as PlaywrightTimeoutError,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
SMALL_PHONE: ViewportSize = {"width": 360, "height": 640}
LANDSCAPE: ViewportSize = {"width": 844, "height": 390}
ColorScheme = Literal["dark", "light"]
TIMEOUT_MS = int(os.environ.get("HEADWATER_BROWSER_TIMEOUT_MS", "20000"))
# The video's current frame, scaled to 32 by 18 pixels, as text.
PAINTED = """() => {
  const canvas = new OffscreenCanvas(32, 18);
  const context = canvas.getContext("2d");
  context.drawImage(document.getElementById("video"), 0, 0, 32, 18);
  return Array.from(context.getImageData(0, 0, 32, 18).data).join();
}"""


def require_chromium() -> None:
    """Skip the calling test module if Chromium is not installed; call it at the top of the module."""
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH", allow_module_level=True)


@dataclass(slots=True)
class Visit:
    """A page and the errors it logged on the console, policy violations included."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    ignored: tuple[str, ...] = ()

    def assert_quiet(self) -> None:
        """Fail on the first error that the page logged, but for the responses in ``ignored``."""
        bad = [line for line in self.complaints if not any(part in line for part in self.ignored)]
        assert not bad, "\n".join(bad)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Keep this within one module: playwright's loop and pytest-asyncio's cannot run in one thread at a time."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(
    browser: Browser,
    url: str,
    *,
    viewport: ViewportSize = DESKTOP,
    touch: bool = False,
    scheme: ColorScheme = "dark",
    ignored: tuple[str, ...] = (),
) -> Iterator[Visit]:
    """Open ``url`` in a fresh profile. ``ignored`` are parts of the console errors that the test provokes."""
    context = browser.new_context(viewport=viewport, has_touch=touch, is_mobile=touch, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    opened = Visit(page, ignored=ignored)

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            opened.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    page.on("console", on_console)
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    try:
        page.goto(url)
        yield opened
    finally:
        context.close()


def player(page: Page, name: str) -> Any:
    """A value of ``window.headwater``: see ``origin/pages/static/js/watch/facts.js`` for the names."""
    return page.evaluate("name => window.headwater[name]", name)


def wait_for(page: Page, condition: str, argument: Any = None, *, timeout_ms: int = TIMEOUT_MS) -> None:
    """Wait until the JavaScript function ``condition``, called with ``argument``, returns a true value.

    An AssertionError has the facts about playback."""
    try:
        page.wait_for_function(condition, arg=argument, timeout=timeout_ms)
    except PlaywrightTimeoutError as error:
        facts = page.evaluate("() => JSON.stringify(window.headwater ?? null)")
        raise AssertionError(f"{condition} with {argument!r} did not come true; playback: {facts}") from error


def wait_for_screen(page: Page, screen: str) -> None:
    wait_for(page, "screen => window.headwater.screen === screen", screen)


def is_inside(page: Page, element: Locator) -> bool:
    """Whether all of ``element`` is within the window."""
    width, height = page.evaluate("[innerWidth, innerHeight]")
    box = element.bounding_box()
    assert box is not None
    return (
        box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= width and box["y"] + box["height"] <= height
    )


def check_picture_moves(page: Page) -> None:
    """Playback advances by a second, and the painted frame changes. The two are checked separately, because a
    player may seek, and a busy machine paints late."""
    wait_for(page, "() => window.headwater.screen === 'playing' && window.headwater.frames > 0")
    start = player(page, "currentTime")
    before = page.evaluate(PAINTED)
    wait_for(page, "start => window.headwater.currentTime > start + 1", start)
    wait_for(page, f"before => ({PAINTED})() !== before", before)
    assert player(page, "width") > 0


def check_sound(page: Page) -> None:
    """Chromium has decoded audio."""
    wait_for(page, "() => document.getElementById('video').webkitAudioDecodedByteCount > 0")


def quality_menu(page: Page) -> list[str]:
    """Open the quality menu and return its entries; the automatic one without its current rendition."""
    wait_for(page, "() => window.headwater.qualities.length > 0")
    page.mouse.move(200, 200)
    page.locator("#quality").click()
    labels = page.get_by_role("menuitemradio").locator("span").all_inner_texts()
    return [label.partition(" (")[0] if label.startswith("Auto ") else label for label in labels]


def choose_quality(page: Page, quality: str) -> None:
    """Choose the entry with the id ``quality`` from the open menu and wait until that rendition plays."""
    page.locator(f'[data-quality="{quality}"]').click()
    assert player(page, "selected") == quality
    wait_for(page, "() => window.headwater.level === document.querySelector('#quality span').textContent")


def check_ladder(page: Page, labels: list[str]) -> None:
    """The menu lists ``labels`` after "Auto", and the player can switch to the lowest of them."""
    assert quality_menu(page) == ["Auto", *labels]
    lowest = [label for label in labels if label.endswith("p")][-1]
    choose_quality(page, lowest)
    height = int(lowest.removesuffix("p"))
    wait_for(page, "height => Math.min(window.headwater.width, window.headwater.height) === height", height)
    check_picture_moves(page)


def sign_in(page: Page, token: str) -> None:
    page.get_by_label("API token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("main")).not_to_contain_text("Sign in")


def card(page: Page, stream: str) -> Any:
    """The dashboard's card of ``stream``."""
    return page.locator(f'article[data-stream="{stream}"]')


def check_card(page: Page, stream: str, state: Literal["live", "waiting", "idle"]) -> None:
    expect(card(page, stream)).to_have_attribute("data-state", state, timeout=TIMEOUT_MS)


def kill_from_dashboard(page: Page, stream: str) -> None:
    """Press the kill button and confirm."""
    card(page, stream).get_by_role("button", name="End broadcast").click()
    page.get_by_role("dialog").get_by_role("button", name="End broadcast").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
