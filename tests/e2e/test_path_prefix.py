"""The pages in Chromium behind nginx with a path prefix, which is stripped or passed on, and a real broadcast.

nginx answers 404 to everything outside the prefix, and a page that asks for it complains.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.browser import (
    check_card,
    check_picture_moves,
    check_sound,
    chromium,
    player,
    require_chromium,
    sign_in,
    visit,
    wait_for,
)
from tests.lab.daemon import daemon, nginx_command
from tests.lab.ports import HOST, free_port
from tests.lab.programs import find_program
from tests.lab.server import Server, serving
from tests.lab.waiting import until

require_chromium()
pytestmark = pytest.mark.skipif(find_program("nginx") is None, reason="nginx is not installed")
DOCUMENTED = Path(__file__).parents[2] / "docs" / "deployment.md"
CONFIGURATION = """
pid {directory}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen {host}:{port};
        location / {{ return 404; }}
        {location}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Site:
    """``url`` is the public URL, with its path."""

    server: Server
    url: str
    browser: Browser


def location(origin: str, *, strips: bool) -> str:
    """The location of the documentation."""
    found = re.search(r"```nginx\n(location /tv/ .*?)```", DOCUMENTED.read_text(), re.DOTALL)
    assert found is not None
    return found[1].replace("http://127.0.0.1:8080/;", f"http://{origin}{'/' if strips else ''};")


@pytest.fixture(scope="module", params=[True, False], ids=["stripped", "passed on"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, port = tmp_path_factory.mktemp("prefix"), free_port()
    clip = make_clip(Clip(20, size="320x180", video_kbps=200), folder / "clip.flv")
    url = f"http://{HOST}:{port}/tv"
    settings = f'[http]\npublic_url = "{url}"\n[transcoder]\nladder = "source"\n'
    with serving(folder / "data", config=settings) as server:
        configuration = folder / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(
                directory=folder, host=HOST, port=port, location=location(server.address, strips=request.param)
            )
        )
        with (
            daemon(nginx_command(folder, configuration), port, folder, missing="nginx is not installed"),
            publishing(clip, server.create("studio"), loop=True),
            chromium() as browser,
        ):
            until(lambda: httpx.get(f"{url}/api/v1/watch/studio").json()["hls"])
            yield Site(server, url, browser)


@pytest.mark.parametrize("name", ["hls", "dash", "shaka"])
def test_every_player_plays_below_the_prefix(site: Site, name: str) -> None:
    with visit(site.browser, f"{site.url}/watch/studio?player={name}") as opened:
        check_picture_moves(opened.page)
        check_sound(opened.page)
        wait_for(opened.page, "() => window.headwater.latency > 0")
        assert player(opened.page, "live") is True
        opened.assert_quiet()


def test_the_dashboard_works_below_the_prefix(site: Site) -> None:
    token = (site.server.data / "api-token").read_text().strip()
    with visit(site.browser, f"{site.url}/", ignored=("401",)) as opened:
        page = opened.page
        sign_in(page, token)
        check_card(page, "studio", "live")
        link = page.locator('article[data-stream="studio"] a[href*="/watch/studio"]').first
        expect(link).to_have_attribute("href", f"{site.url}/watch/studio")
        page.reload()
        check_card(page, "studio", "live")
        names = page.evaluate("() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
        assert names and all(name.startswith("headwater/tv/") for name in names)
        opened.assert_quiet()


def test_the_printed_link_to_a_private_stream_plays(site: Site) -> None:
    httpx.patch(
        f"{site.url}/api/v1/streams/studio",
        json={"private": True},
        headers={"Authorization": f"Bearer {(site.server.data / 'api-token').read_text().strip()}"},
    ).raise_for_status()
    until(lambda: httpx.get(f"{site.url}/live/studio/master.m3u8").status_code == 403)
    link = site.server.json("token", "studio", "--for", "1h")
    assert link["watch"].startswith(f"{site.url}/watch/studio?token=")
    with visit(site.browser, link["watch"]) as opened:
        check_picture_moves(opened.page)
        opened.assert_quiet()
    playlist = httpx.get(link["hls"], follow_redirects=True)
    assert playlist.status_code == 200
    assert urlsplit(str(playlist.url)).path.startswith("/tv/live/studio~")


def test_addresses_that_are_printed_are_below_the_prefix(site: Site) -> None:
    assert site.server.json("create", "printed")["watch"] == f"{site.url}/watch/printed"
    broadcast = site.server.json("broadcasts", "studio")[0]
    assert broadcast["hls"].startswith(f"{site.url}/live/studio/")
    document = httpx.get(f"{site.url}/api/v1/openapi.json").json()
    assert document["servers"] == [{"url": "/tv"}]
