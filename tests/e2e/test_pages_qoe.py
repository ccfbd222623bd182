"""Reports of playback with real players in Chromium: the watch page's own, and those of other pages' players."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Response

from origin.qoe.cmcd import MAX_REPORTS
from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.browser import check_picture_moves, chromium, require_chromium, visit, wait_for
from tests.lab.server import Server, serving
from tests.lab.waiting import until

require_chromium()
ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "origin" / "pages" / "static" / "vendor"
DOCUMENT = (ROOT / "docs" / "qoe.md").read_text()
LIBRARIES = ("dash.mediaplayer.min.js", "hls.min.js", "shaka-player.dash.js")
PLAYERS = pytest.mark.parametrize("name", ["hls", "dash", "shaka"])
CONFIG = """
[transcoder]
ladder = "source"
[packager]
playlist_window = "10s"
"""
# How docs/qoe.md sets up each player, in this order.
SETUPS = dict(
    zip(("hls", "dash", "shaka"), re.findall(r"^```js\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE), strict=True)
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the stream ``studio``, which is on air throughout."""
    folder = tmp_path_factory.mktemp("qoe")
    clip = make_clip(Clip(60, size="320x180", video_kbps=300), folder / "clip.flv")
    with serving(folder / "data", config=CONFIG) as server, publishing(clip, server.create("studio"), loop=True):
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def figures(server: Server) -> dict[str, Any]:
    view: dict[str, Any] = server.json("qoe", "studio")
    return view


def totals(server: Server) -> dict[str, Any]:
    """Since the server started."""
    since_start: dict[str, Any] = figures(server)["totals"]
    return since_start


@PLAYERS
def test_the_page_reports_how_playback_is(browser: Browser, server: Server, name: str) -> None:
    before = totals(server)
    with visit(browser, f"{server.http}/watch/studio?player={name}&muted=1") as opened:
        check_picture_moves(opened.page)
        until(lambda: totals(server)["starts"] > before["starts"], timeout=10)
        # The next request has the latency.
        until(lambda: totals(server)["played_s"] > before["played_s"] + 5, timeout=25)
        view = figures(server)
        opened.assert_quiet()
    assert view["sessions"] >= 1
    assert 0 < view["start_s"]["median"] < 20
    assert 0 < view["latency_s"]["median"] < 10
    assert view["bitrate_bps"] > 100_000
    assert [each["rendition"] for each in view["renditions"] if each["bitrate_bps"]] == ["vsource"]
    assert view["totals"]["errors"] == before["errors"]
    sessions = view["sessions"]
    # The page has told that it was closed.
    until(lambda: figures(server)["sessions"] < sessions, timeout=10)


@PLAYERS
def test_a_stall_is_counted_with_its_length(browser: Browser, server: Server, name: str) -> None:
    before = totals(server)
    url = f"{server.http}/watch/studio?player={name}&muted=1"
    with visit(browser, url, ignored=("ERR_INTERNET_DISCONNECTED",)) as opened:
        page = opened.page
        check_picture_moves(page)
        page.context.set_offline(True)
        wait_for(page, "() => document.getElementById('video').readyState < 3")
        page.wait_for_timeout(2000)
        page.context.set_offline(False)
        check_picture_moves(page)
        until(lambda: totals(server)["stalled_s"] > before["stalled_s"], timeout=30)
        after = totals(server)
        opened.assert_quiet()
    assert 1 <= after["stalls"] - before["stalls"] < 5
    assert 1.5 < after["stalled_s"] - before["stalled_s"] < 30


def test_the_page_is_quiet_if_the_server_refuses_its_reports(browser: Browser, server: Server) -> None:
    sent: list[int] = []

    def note(response: Response) -> None:
        if "cmcd" in response.url:
            sent.append(response.status)

    with visit(browser, f"{server.http}/watch/studio?muted=1") as opened, httpx.Client() as flood:
        opened.page.on("response", note)
        check_picture_moves(opened.page)
        refused: list[int] = []
        while len(sent) < 2:
            answer = flood.post(f"{server.http}/api/v1/cmcd", content="x\n" * MAX_REPORTS)
            refused.append(answer.status_code)
            opened.page.wait_for_timeout(5)
        opened.assert_quiet()
    assert refused[-1] == 429
    assert sent == [204, 204]


@PLAYERS
def test_the_own_reports_of_a_player_on_another_site_are_taken(
    browser: Browser, server: Server, tmp_path: Path, name: str
) -> None:
    before = totals(server)
    setup = SETUPS[name].replace("https://live.example.org", server.http).replace("studio-a", "studio")
    with site(tmp_path, setup) as address, visit(browser, address) as opened:
        wait_for(opened.page, "() => document.getElementById('video').currentTime > 1")
        until(lambda: totals(server)["played_s"] > before["played_s"], timeout=30)
        until(lambda: totals(server)["starts"] > before["starts"], timeout=30)
        after = totals(server)
        opened.assert_quiet()
    assert after["starts"] == before["starts"] + 1


@contextmanager
def site(folder: Path, setup: str) -> Iterator[str]:
    """Another site with a page that has the players' libraries and runs ``setup``; yields its address."""
    for library in LIBRARIES:
        (folder / library).write_bytes((VENDOR / library).read_bytes())
    scripts = "".join(f'<script src="{library}"></script>' for library in LIBRARIES)
    (folder / "page.html").write_text(
        f'<!doctype html><link rel="icon" href="data:,"><video id="video" muted autoplay></video>{scripts}'
        f'<script type="module">const video = document.getElementById("video");{setup}</script>'
    )
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}/page.html"
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
