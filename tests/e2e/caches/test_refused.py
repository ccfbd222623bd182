"""A private stream without a valid link: the caches pass the origin's refusal on."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.caches.counting_origin import PLAYLIST, Origin
from tests.e2e.caches.private_origin import BROADCAST, PREFIX, PrivateOrigin, private_origin
from tests.e2e.caches.running import running_cache, viewers_of, with_varnish
from tests.lab.waiting import until

LINKS = [
    f"/{PREFIX}/master.m3u8",
    f"/{PREFIX}/manifest.mpd",
    f"/{PREFIX}/master.m3u8?token=x",
    f"/{PREFIX}/v720p/media.m3u8",
    f"/{PREFIX}/v720p/init-0.mp4",
    f"/{PREFIX}/v720p/1.m4s",
]
PATHS_WITH_TOKENS = [
    f"/live/a~x/{BROADCAST}/master.m3u8",
    f"/live/a~x/{BROADCAST}/v720p/media.m3u8?_HLS_msn=1",
    f"/live/a~x/{BROADCAST}/v720p/1.m4s",
    f"/live/a~x/{BROADCAST}/v720p/init-0.mp4",
]


@pytest.fixture
def private() -> Iterator[tuple[PrivateOrigin, int]]:
    with private_origin() as running:
        yield running


def check(front: str, port: int, directory: Path, links: list[str]) -> None:
    with (
        running_cache(front, port, directory) as running,
        viewers_of(running) as viewer,
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as direct,
    ):
        for link in links:
            refused, own = viewer.get(link), direct.get(link)
            assert (refused.status_code, refused.text) == (403, own.text), link
            assert refused.headers["Cache-Control"] == "no-store"
            assert refused.headers.get_list("Access-Control-Allow-Origin") == ["*"]


def test_the_origins_refusal_is_passed_on(front: str, private: tuple[PrivateOrigin, int], tmp_path: Path) -> None:
    check(front, private[1], tmp_path, LINKS)


@with_varnish
def test_varnish_passes_on_the_refusal_of_a_path_token(private: tuple[PrivateOrigin, int], tmp_path: Path) -> None:
    check("varnish", private[1], tmp_path, PATHS_WITH_TOKENS)


def test_a_stream_that_becomes_private_is_not_served_from_the_cache(cache: httpx.Client, origin: Origin) -> None:
    assert cache.get(PLAYLIST).status_code == 200
    origin.status[PLAYLIST] = 403
    until(lambda: cache.get(PLAYLIST).status_code == 403, timeout=3)
    for _ in range(5):
        assert cache.get(PLAYLIST).text == "no"
