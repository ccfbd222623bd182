"""A changed configuration of a running server, with a real ffmpeg on air."""

import signal
from pathlib import Path

import pytest

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.server import Server, serving
from tests.lab.waiting import until

CLIP = Clip(8, size="320x180", video_kbps=300)
CONFIG = "[rtmp]\nreconnect_window = 60\n[packager]\nsegment_target = 2\n"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(CLIP, tmp_path_factory.mktemp("clips") / "clip.flv")


def durations(server: Server, stream: str) -> set[int]:
    """The rounded durations of a recording's segments but the last."""
    (playlist,) = (server.data / "store" / "live" / stream).glob("*/vsource/recording.m3u8")
    lines = [line for line in playlist.read_text().splitlines() if line.startswith("#EXTINF:")]
    return {round(float(line.removeprefix("#EXTINF:").rstrip(","))) for line in lines[:-1]}


def test_new_broadcasts_get_the_new_values_and_the_one_on_air_goes_on(clip: Path, tmp_path: Path) -> None:
    with serving(tmp_path, config=CONFIG) as server:
        file = tmp_path / "headwater.toml"
        with publishing(clip, server.create("before")) as publisher:
            until(lambda: server.json("show", "before")["state"] == "live", timeout=30)
            file.write_text(CONFIG.replace("segment_target = 2", "segment_target = 4"))
            assert server.json("reload") == {"applied": ["packager.segment_target"], "restart": []}
            assert publisher.wait(60) == 0
        with publishing(clip, server.create("after")) as publisher:
            assert publisher.wait(60) == 0
        until(lambda: all(stream["state"] == "idle" for stream in server.json("list")), timeout=30)
        assert (durations(server, "before"), durations(server, "after")) == ({2}, {4})
        file.write_text("[rtmp]\nlisen = 1\n")
        server.process.send_signal(signal.SIGHUP)
        log = tmp_path / "server.log"
        until(lambda: "lisen: unknown key" in log.read_text())
        assert server.json("list")
