"""A server that is taken out of service while a real ffmpeg publishes."""

import signal
from pathlib import Path

import httpx
import pytest

from tests.lab.broadcaster import Clip, make_clip, play, publishing
from tests.lab.server import Server, serving
from tests.lab.waiting import until

CLIP = Clip(20, size="320x180", video_kbps=300)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(CLIP, tmp_path_factory.mktemp("clips") / "clip.flv")


def is_live(server: Server) -> bool:
    return httpx.get(f"{server.http}/live/studio/master.m3u8").status_code == 200


def readiness(server: Server) -> tuple[int, bool]:
    answer = httpx.get(f"{server.http}/readyz")
    return answer.status_code, answer.json()["draining"]


def test_a_server_that_drains_ends_after_its_last_broadcast(clip: Path, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        late = server.create("late")
        with publishing(clip, server.create("studio")) as publisher:
            until(lambda: is_live(server), timeout=30)
            assert readiness(server) == (200, False)
            assert server.json("drain", "--grace", "1h")["on_air"] == 1
            assert readiness(server) == (503, True)
            with publishing(clip, late) as refused:
                assert refused.wait(30) != 0
            assert publisher.poll() is None
            assert publisher.wait(60) == 0
        assert server.process.wait(60) == 0
        log = (tmp_path / "server.log").read_text()
    assert "this server is being replaced: connect again" in log
    with serving(tmp_path) as server:
        (recording,) = server.json("broadcasts", "studio")
        played = play(recording["hls"])
        assert (played.frames, played.errors) == (CLIP.seconds * CLIP.fps, "")


def test_a_supervisors_signal_drains_for_the_configured_time(clip: Path, tmp_path: Path) -> None:
    environment = {"HEADWATER_RTMP__DRAIN_GRACE": "2s"}
    with serving(tmp_path, environment=environment) as server, publishing(clip, server.create("studio"), loop=True):
        until(lambda: is_live(server), timeout=30)
        server.process.send_signal(signal.SIGUSR1)
        assert server.process.wait(60) == 0
