"""Media that the server repeats from memory is refused as soon as nobody may have it any more."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.server import Server, serving
from tests.lab.waiting import until

SEGMENT = "vsource/1.m4s"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("repeated") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(Clip(5, size="320x180", video_kbps=300), tmp_path_factory.mktemp("clips") / "clip.flv")


def recorded(server: Server, clip: Path, stream: str) -> str:
    """The URL of a segment, which the server repeats."""
    with publishing(clip, server.create(stream)) as publisher:
        assert publisher.wait(30) == 0
    until(lambda: server.json("show", stream)["state"] == "idle", timeout=30)
    (broadcast,) = server.json("broadcasts", stream)
    url = broadcast["hls"].replace("master.m3u8", SEGMENT)
    assert [httpx.get(url).status_code for _ in range(2)] == [200, 200]
    return str(url)


def test_a_stream_that_becomes_private(server: Server, clip: Path) -> None:
    url = recorded(server, clip, "studio")
    with httpx.Client() as viewer:
        assert viewer.get(url).status_code == 200
        server.json("set", "studio", "--private")
        assert viewer.get(url).status_code == 403
        server.json("set", "studio", "--public")
        assert [viewer.get(url).status_code for _ in range(2)] == [200, 200]


def test_a_recording_that_is_deleted(server: Server, clip: Path) -> None:
    url = recorded(server, clip, "gone")
    with httpx.Client() as viewer:
        assert viewer.get(url).status_code == 200
        (broadcast,) = server.json("broadcasts", "gone")
        server.json("broadcasts", "delete", "gone", broadcast["broadcast"], "--yes")
        assert until(lambda: viewer.get(url).status_code != 200)
