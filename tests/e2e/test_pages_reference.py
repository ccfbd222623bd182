"""The API's reference in Chromium, on a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.lab.browser import DESKTOP, PHONE, chromium, require_chromium, visit
from tests.lab.server import Server, serving

require_chromium()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("reference")) as server:
        server.create("studio-a")
        yield server


def test_an_operation_can_be_tried_with_the_token(browser: Browser, server: Server) -> None:
    with visit(browser, f"{server.http}/api/v1/docs") as opened:
        page = opened.page
        page.get_by_role("button", name="Authorize").first.click()
        page.get_by_label("auth-bearer-value").fill((server.data / "api-token").read_text().strip())
        page.get_by_role("button", name="Apply credentials").click()
        page.get_by_role("button", name="Close").first.click()
        operation = page.locator("#operations-streams-listStreams")
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Execute").click()
        expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
        expect(operation.locator(".live-responses-table")).to_contain_text("studio-a")
        opened.assert_quiet()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_it_follows_the_browsers_colours_and_width(
    browser: Browser, server: Server, viewport: ViewportSize
) -> None:
    with visit(browser, f"{server.http}/api/v1/docs", viewport=viewport) as opened:
        page = opened.page
        expect(page.locator(".opblock").first).to_be_visible()
        backgrounds = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            expect(page.locator("html")).to_have_class("dark-mode" if scheme == "dark" else "")
            backgrounds.append(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
        assert backgrounds[0] != backgrounds[1]
        page.locator("#operations-streams-createStream .opblock-summary-control").click()
        expect(page.locator("#operations-streams-createStream .responses-wrapper")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        opened.assert_quiet()


def test_it_loads_nothing_from_other_hosts(browser: Browser, server: Server) -> None:
    page = browser.new_page()
    try:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.http}/api/v1/docs")
        expect(page.locator(".opblock").first).to_be_visible()
        assert [url for url in asked if not url.startswith((server.http, "data:"))] == []
    finally:
        page.close()


def test_the_licences_are_served_with_it() -> None:
    vendor = Path(__file__).parents[2] / "origin" / "pages" / "static" / "vendor"
    assert "Apache License" in (vendor / "swagger-ui.LICENSE.txt").read_text()
