"""nginx with docker/tls.conf: low latency over HTTP/2, in which all requests of a player share one connection."""

import asyncio
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.e2e.caches.counting_origin import PATIENCE_S, PLAYLIST, TRACK, Origin
from tests.e2e.caches.running import stranger, with_nginx
from tests.lab.certificates import Authority, Certificate
from tests.lab.daemon import nginx_command
from tests.lab.front import add_tls, nginx, nginx_configuration, varnish_front
from tests.lab.http2 import Http2Client, http2_client
from tests.lab.ports import HOST
from tests.lab.waiting import until

pytestmark = with_nginx
RELOAD = f"{PLAYLIST}?_HLS_msn=9&_HLS_part=2"
PART = f"{TRACK}/9.3.m4s"
LIMIT = "limit_conn networks 1000;"


@dataclass(frozen=True, slots=True)
class Site:
    port: int
    certificate: Certificate

    def player(self) -> AbstractAsyncContextManager[Http2Client]:
        return http2_client(self.port, self.certificate.client_context)


@pytest.fixture
def configuration(origin: Origin, tmp_path: Path) -> Iterator[Path]:
    address = f"127.0.0.1:{origin.server_port}"
    with varnish_front(tmp_path, address) as behind:
        yield nginx_configuration(tmp_path, address, f"127.0.0.1:{behind.port}")


@pytest.fixture
def site(configuration: Path, origin: Origin, tmp_path: Path) -> Iterator[Site]:
    certificate = Authority().issue(tmp_path, HOST)
    port = add_tls(configuration, certificate)
    with nginx(configuration):
        origin.requests.clear()
        yield Site(port, certificate)


async def asked_for(origin: Origin, *paths: str) -> None:
    await asyncio.to_thread(until, lambda: all(origin.requests[path] for path in paths))


async def test_a_blocking_reload_and_other_requests_share_one_connection(site: Site, origin: Origin) -> None:
    others = [f"{TRACK}/init-0.mp4", f"{TRACK}/1.m4s", f"{TRACK}/1.2.m4s", "/static/0f/hls.js"]
    async with site.player() as player:
        await asyncio.gather(*map(player.get, others))
        origin.hold.clear()
        held = [asyncio.create_task(player.get(path)) for path in (RELOAD, PART, f"{TRACK}/9.m4s")]
        await asked_for(origin, RELOAD, PART)
        quick = await asyncio.wait_for(asyncio.gather(*map(player.get, others)), PATIENCE_S / 2)
        assert not any(task.done() for task in held)
        origin.hold.set()
        answers = [*quick, *await asyncio.gather(*held)]
    assert {answer.status for answer in answers} == {200}
    assert all(answer.body.startswith(b"/") for answer in answers)


@pytest.mark.parametrize("path", [RELOAD, PART])
async def test_players_who_wait_share_one_request(site: Site, origin: Origin, path: str) -> None:
    origin.hold.clear()
    url, trusted = f"https://127.0.0.1:{site.port}{path}", site.certificate.client_context
    async with site.player() as one, site.player() as two, httpx.AsyncClient(verify=trusted) as old:
        modern = [asyncio.create_task(player.get(path)) for player in (one, two) for _ in range(5)]
        waiting = asyncio.create_task(old.get(url, headers={"Accept-Encoding": "identity"}))
        await asked_for(origin, path)
        origin.hold.set()
        assert {answer.status for answer in await asyncio.gather(*modern)} == {200}
        answer = await waiting
    assert (answer.status_code, answer.http_version) == (200, "HTTP/1.1")
    assert origin.requests[path] == 1


@pytest.mark.parametrize("path", [RELOAD, PART])
async def test_the_first_player_who_waits_may_leave(site: Site, origin: Origin, path: str) -> None:
    origin.hold.clear()
    async with site.player() as stays:
        async with site.player() as leaves:
            left = asyncio.create_task(leaves.get(path))
            await asked_for(origin, path)
            left.cancel()
        waiting = asyncio.create_task(stays.get(path))
        await stays.get("/healthz")
        origin.hold.set()
        assert (await waiting).status == 200
    assert origin.requests[path] == 1


async def test_a_refusal_is_shared(site: Site, origin: Origin) -> None:
    origin.status[PLAYLIST] = 400
    origin.hold.clear()
    async with site.player() as player:
        waiting = [asyncio.create_task(player.get(RELOAD)) for _ in range(5)]
        await asked_for(origin, RELOAD)
        # nginx answers this itself, after it has read the requests before it on the connection.
        await player.get("/healthz")
        origin.hold.set()
        answers = await asyncio.gather(*waiting)
    assert {(answer.status, bytes(answer.body)) for answer in answers} == {(400, b"no")}
    assert origin.requests[RELOAD] == 1


def test_nginx_accepts_the_configuration(configuration: Path, tmp_path: Path) -> None:
    add_tls(configuration, Authority().issue(tmp_path, HOST))
    command = [*nginx_command(tmp_path, configuration), "-t"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr


def test_one_network_cannot_take_all_connections(configuration: Path, origin: Origin) -> None:
    text = configuration.read_text()
    assert LIMIT in text
    configuration.write_text(text.replace(LIMIT, "limit_conn networks 3;"))
    with nginx(configuration) as front, ThreadPoolExecutor(3) as pool:
        base, cached = f"http://127.0.0.1:{front.port}", f"{TRACK}/init-0.mp4"
        assert httpx.get(base + cached).status_code == 200
        origin.hold.clear()
        waiting = [pool.submit(httpx.get, base + RELOAD, timeout=PATIENCE_S) for _ in range(3)]
        until(lambda: httpx.get(base + cached).status_code == 503)
        with stranger(front) as elsewhere:
            assert elsewhere.get(cached).status_code == 200
        origin.hold.set()
        assert [each.result().status_code for each in waiting] == [200, 200, 200]
