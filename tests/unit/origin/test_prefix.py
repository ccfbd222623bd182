"""The whole origin below a path of its host, behind a proxy that strips the path and one that passes it on."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from origin.prefix import route_path
from storage.catalogue import Catalogue
from storage.catalogue.records import BroadcastRecord, StreamSettings
from tests.lab.memory_store import MemoryStore
from tests.unit.origin.whole import NOW, TOKEN, whole_origin

BROADCAST = "20261121t104105z-ab12cd"
MEDIA = {
    f"live/{stream}/{BROADCAST}/{name}": body
    for stream in ("open", "shut")
    for name, body in (("master.m3u8", b"#EXTM3U\nv720p/media.m3u8\n"), ("v720p/1.m4s", b"segment"))
}


@pytest.fixture
async def store() -> MemoryStore:
    """With a public and a private stream, each with one past broadcast."""
    store = MemoryStore()
    catalogue = Catalogue(store)
    for stream in ("open", "shut"):
        await catalogue.create_stream(stream, StreamSettings(private=stream == "shut"), now=NOW)
        await catalogue.put_broadcast(
            BroadcastRecord(
                stream=stream,
                broadcast=BROADCAST,
                started_at=NOW,
                ended_at=NOW + 60,
                duration_s=60,
                bytes=7,
                tracks=("v720p",),
                end_reason="over",
            )
        )
    for key, body in MEDIA.items():
        await store.put(key, body)
    return store


@pytest.fixture(params=["stripped", "passed on"])
async def browser(request: pytest.FixtureRequest, store: MemoryStore) -> AsyncIterator[httpx.AsyncClient]:
    """A client of https://example.org, whose proxy sends everything below /tv to the origin."""
    origin = httpx.ASGITransport(whole_origin(store, public_url="https://example.org/tv"))

    class Proxy(httpx.AsyncBaseTransport):
        async def handle_async_request(self, asked: httpx.Request) -> httpx.Response:
            path = asked.url.raw_path.decode()
            assert path.startswith("/tv/"), f"{path} is another site's"
            if request.param == "passed on":
                return await origin.handle_async_request(asked)
            url = asked.url.copy_with(raw_path=path.removeprefix("/tv").encode())
            return await origin.handle_async_request(
                httpx.Request(asked.method, url, headers=asked.headers, stream=asked.stream)
            )

    async with httpx.AsyncClient(transport=Proxy(), base_url="https://example.org/tv/") as client:
        yield client


async def test_pages_name_only_files_below_the_prefix(browser: httpx.AsyncClient) -> None:
    for page in ("", "watch/open", "watch/Not+A+Name", "api/v1/docs"):
        html = (await browser.get(page)).text
        named = re.findall(r'(?:src|href)="([^"]+)"', html)
        assert named
        for path in named:
            assert path.startswith("/tv/static/")
            assert (await browser.get(f"https://example.org{path}")).status_code == 200


async def test_redirects_stay_below_the_prefix(browser: httpx.AsyncClient) -> None:
    icon = await browser.get("favicon.ico")
    assert icon.status_code == 307 and icon.headers["location"].startswith("/tv/static/")
    moved = await browser.get("static/000000000000/js/base.js")
    assert moved.status_code == 307 and moved.headers["location"].startswith("/tv/static/")
    assert (await browser.get(f"https://example.org{moved.headers['location']}")).status_code == 200


async def test_the_status_has_paths_that_can_be_fetched(browser: httpx.AsyncClient) -> None:
    status = (await browser.get("api/v1/watch/open")).json()
    assert status["hls"] == f"/tv/live/open/{BROADCAST}/master.m3u8"
    assert status["dash"] == f"/tv/live/open/{BROADCAST}/manifest.mpd"
    playlist = await browser.get(f"https://example.org{status['hls']}")
    assert playlist.content == MEDIA[f"live/open/{BROADCAST}/master.m3u8"]


async def test_a_private_stream_is_played_by_its_link(browser: httpx.AsyncClient) -> None:
    operator = {"Authorization": f"Bearer {TOKEN}"}
    links = (await browser.post("api/v1/streams/shut/tokens", headers=operator, json={"for_s": 60})).json()
    assert links["watch"].startswith("https://example.org/tv/watch/shut?token=")
    assert links["hls"].startswith("https://example.org/tv/live/shut/master.m3u8?token=")
    address = f"live/shut/{BROADCAST}/master.m3u8"
    assert (await browser.get(address)).status_code == 403
    admitted = await browser.get(address, params={"token": links["token"]}, follow_redirects=True)
    assert admitted.content == MEDIA[address]
    assert str(admitted.url).startswith("https://example.org/tv/live/shut~")
    segment = await browser.get(str(admitted.url.join("v720p/1.m4s")))
    assert segment.content == b"segment"


async def test_the_api_names_addresses_below_the_prefix(browser: httpx.AsyncClient) -> None:
    operator = {"Authorization": f"Bearer {TOKEN}"}
    (broadcast,) = (await browser.get("api/v1/streams/open/broadcasts", headers=operator)).json()
    assert broadcast["watch"] == f"https://example.org/tv/watch/open?broadcast={BROADCAST}"
    created = (await browser.post("api/v1/streams", headers=operator, json={"stream": "new"})).json()
    assert created["watch"] == "https://example.org/tv/watch/new"


@pytest.mark.parametrize("path", ["time", "healthz", "readyz", "metrics"])
async def test_the_other_routes(browser: httpx.AsyncClient, path: str) -> None:
    assert (await browser.get(path)).status_code == 200


async def test_an_unknown_path_is_not_found(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("nothing")).status_code == 404
    assert (await browser.get("live/open/nothing")).status_code == 404


def test_without_a_prefix_the_path_is_the_route() -> None:
    assert route_path({"path": "/live/a"}) == "/live/a"
    assert route_path({"path": "/tv/live/a", "root_path": "/tv"}) == "/live/a"


async def test_the_openapi_document_and_new_streams_are_below_the_prefix(browser: httpx.AsyncClient) -> None:
    document = (await browser.get("api/v1/openapi.json")).json()
    assert [server["url"] for server in document["servers"]] == ["/tv"]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    made = await browser.post("api/v1/streams", json={"stream": "fresh"}, headers=headers)
    location = made.headers["location"]
    assert (await browser.get(f"https://example.org{location}", headers=headers)).json()["stream"] == "fresh"


async def test_options_and_405_work_below_the_prefix(browser: httpx.AsyncClient) -> None:
    assert (await browser.options("api/v1/streams")).headers["allow"] == "GET, POST, OPTIONS"
    assert (await browser.put("api/v1/streams")).headers["allow"] == "GET, POST, OPTIONS"
    assert (await browser.options("live/open/master.m3u8")).headers["allow"] == "GET, HEAD, OPTIONS"
