"""What the watch page shows to a viewer whom the server does not admit, in each player, with the real server."""

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.browser import (
    check_picture_moves,
    chromium,
    player,
    require_chromium,
    visit,
    wait_for_screen,
)
from tests.lab.server import Server, serving

require_chromium()
PLAYERS = pytest.mark.parametrize("name", ["hls", "dash", "shaka"])
CONFIG = """
[transcoder]
ladder = "source"
"""
PATH_TOKEN = re.compile(r"~[^/]+")
LINK_S = 4


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(Clip(60, size="320x180", video_kbps=300), tmp_path_factory.mktemp("clip") / "clip.flv")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Iterator[Server]:
    """A server with the private streams ``backstage``, on air, and ``cellar``, which has never been live."""
    with serving(tmp_path_factory.mktemp("private"), config=CONFIG) as server:
        server.create("cellar", private=True)
        with publishing(clip, server.create("backstage", private=True), loop=True):
            yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def token(server: Server, stream: str, seconds: int) -> str:
    made: str = server.json("token", stream, "--for", f"{seconds}s")["token"]
    return made


def make_private(server: Server, stream: str) -> None:
    headers = {
        "Authorization": f"Bearer {(server.data / 'api-token').read_text().strip()}",
        "Content-Type": "application/json",
    }
    body = json.dumps({"private": True}).encode()
    request = urllib.request.Request(
        f"{server.http}/api/v1/streams/{stream}", data=body, headers=headers, method="PATCH"
    )
    urllib.request.urlopen(request, timeout=10).close()


def check_refused(page: Page, title: str, detail: str) -> None:
    """The page shows the refusal, and requests no more media."""
    wait_for_screen(page, "refused")
    panel = page.locator("#panel")
    expect(panel.get_by_role("heading")).to_have_text(title)
    expect(panel).to_contain_text(detail)
    requested: list[str] = []

    def on_request(request: Request) -> None:
        requested.append(request.url)

    page.on("request", on_request)
    page.wait_for_timeout(3000)
    assert [url for url in requested if "/live/" in url] == []


@PLAYERS
@pytest.mark.parametrize("stream", ["backstage", "cellar"])
def test_a_link_without_a_token(server: Server, browser: Browser, stream: str, name: str) -> None:
    with visit(browser, f"{server.http}/watch/{stream}?player={name}", ignored=("403",)) as opened:
        detail = f"The stream {stream} is private: it needs a link with a token."
        check_refused(opened.page, "This stream is private", detail)
        opened.assert_quiet()


def test_a_damaged_token(server: Server, browser: Browser) -> None:
    url = f"{server.http}/watch/backstage?token={token(server, 'backstage', 60)[:-3]}AAA"
    with visit(browser, url, ignored=("403",)) as opened:
        detail = "This link's token is not one of this server: it was cut off, changed, or revoked."
        check_refused(opened.page, "This link is not valid", detail)


def test_an_expired_token_and_trying_again(server: Server, browser: Browser) -> None:
    expiring = token(server, "cellar", 1)
    time.sleep(1.1)
    with visit(browser, f"{server.http}/watch/cellar?token={expiring}", ignored=("403",)) as opened:
        page = opened.page
        check_refused(page, "This link has expired", "This link has expired: ask for a new one.")
        with page.expect_request(lambda request: "/live/cellar/master.m3u8" in request.url):
            page.get_by_role("button", name="Try again").click()
        wait_for_screen(page, "refused")


def test_a_valid_token_waits_and_plays(server: Server, browser: Browser) -> None:
    with visit(browser, f"{server.http}/watch/cellar?token={token(server, 'cellar', 600)}") as opened:
        wait_for_screen(opened.page, "offline")
        opened.page.goto(f"{server.http}/watch/backstage?token={token(server, 'backstage', 600)}")
        check_picture_moves(opened.page)


@PLAYERS
def test_a_link_that_expires_during_playback(server: Server, browser: Browser, name: str) -> None:
    """The path token is valid for hours, so the test spoils it in each request, and the server refuses that."""
    expires_at = time.monotonic() + LINK_S
    url = f"{server.http}/watch/backstage?player={name}&token={token(server, 'backstage', LINK_S)}"
    with visit(browser, url, ignored=("403",)) as opened:
        page = opened.page
        check_picture_moves(page)
        page.wait_for_timeout(1000 * max(0.0, expires_at + 1 - time.monotonic()))
        page.route(PATH_TOKEN, lambda route: route.continue_(url=PATH_TOKEN.sub("~expired", route.request.url)))
        check_refused(page, "This link has expired", "This link has expired: ask for a new one.")
        assert [line.partition(":")[0] for line in player(page, "errors")] == ["refused"]
        opened.assert_quiet()


@PLAYERS
def test_a_public_stream_becomes_private(server: Server, browser: Browser, clip: Path, name: str) -> None:
    stream = f"open-{name}"
    with (
        publishing(clip, server.create(stream), loop=True),
        visit(browser, f"{server.http}/watch/{stream}?player={name}", ignored=("403",)) as opened,
    ):
        check_picture_moves(opened.page)
        make_private(server, stream)
        opened.page.wait_for_function("() => window.headwater.screen === 'refused'", timeout=30_000)
        detail = f"The stream {stream} is private: it needs a link with a token."
        check_refused(opened.page, "This stream is private", detail)
        opened.assert_quiet()
