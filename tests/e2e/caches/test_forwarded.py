"""The viewer's address that the caches pass on: never one that the viewer names."""

from pathlib import Path

import httpx
import pytest

from tests.e2e.caches.counting_origin import PLAYLIST, Origin
from tests.e2e.caches.private_origin import PREFIX, private_origin
from tests.e2e.caches.running import STRANGER, running_cache, stranger, with_nginx, with_varnish
from tests.lab.front import nginx, nginx_configuration, varnish_front

CLAIMED = "203.0.113.7"
CLAIM = {"X-Forwarded-For": CLAIMED, "X-Forwarded-Proto": "https"}
PATHS = [f"{PLAYLIST}?_HLS_msn=1", PLAYLIST, "/live/a/master.m3u8?token=x", "/watch/a"]


@pytest.mark.parametrize("path", PATHS)
def test_a_viewer_cannot_choose_an_address(front: str, origin: Origin, tmp_path: Path, path: str) -> None:
    with running_cache(front, origin.server_port, tmp_path) as running, stranger(running) as viewer:
        viewer.get(path, headers=CLAIM)
    seen = origin.headers_of[path]
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == (STRANGER, "http")


@pytest.mark.parametrize("path", PATHS)
def test_a_viewer_cannot_have_a_request_traced(front: str, origin: Origin, tmp_path: Path, path: str) -> None:
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with running_cache(front, origin.server_port, tmp_path) as running, stranger(running) as viewer:
        viewer.get(path, headers={"traceparent": traceparent})
    assert traceparent not in origin.headers_of[path].values()


def test_a_link_for_another_address_is_refused(front: str, tmp_path: Path) -> None:
    with (
        private_origin() as (origin, port),
        running_cache(front, port, tmp_path) as running,
        stranger(running) as viewer,
    ):
        for address, status in ((CLAIMED, 403), (STRANGER, 302)):
            link = f"/{PREFIX}/master.m3u8?token={origin.viewer_token(address)}"
            assert viewer.get(link, headers=CLAIM).status_code == status


@with_varnish
def test_varnish_appends_to_the_header_of_a_trusted_proxy(origin: Origin, tmp_path: Path) -> None:
    with varnish_front(tmp_path, f"127.0.0.1:{origin.server_port}") as running:
        httpx.get(f"http://127.0.0.1:{running.port}/watch/a", headers=CLAIM)
    seen = origin.headers_of["/watch/a"]
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == (f"{CLAIMED}, 127.0.0.1", "https")


@with_nginx
def test_nginx_takes_the_address_from_a_trusted_proxy(origin: Origin, tmp_path: Path) -> None:
    configuration = nginx_configuration(tmp_path, f"127.0.0.1:{origin.server_port}", "127.0.0.1:1")
    text = configuration.read_text()
    assert "# set_real_ip_from 192.0.2.10;" in text
    configuration.write_text(text.replace("# set_real_ip_from 192.0.2.10;", "set_real_ip_from 127.0.0.1;"))
    with nginx(configuration) as running:
        through_two = {"X-Forwarded-For": f"198.51.100.1, {CLAIMED}, 127.0.0.1"}
        httpx.get(f"http://127.0.0.1:{running.port}/watch/a", headers=through_two)
        assert origin.headers_of["/watch/a"]["x-forwarded-for"] == CLAIMED
        with stranger(running) as viewer:
            viewer.get("/watch/a", headers=CLAIM)
        assert origin.headers_of["/watch/a"]["x-forwarded-for"] == STRANGER
