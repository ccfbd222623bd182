"""Players go on while a source's picture is missing, and while its media is late by the server's clock."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.browser import check_picture_moves, check_sound, chromium, player, require_chromium, visit, wait_for
from tests.lab.server import Server, serving
from tests.lab.waiting import until

require_chromium()

OFF_S, ON_S = 8, 16
HELD_UP_S = 6
HEARD = "() => document.getElementById('video').webkitAudioDecodedByteCount"
# No video from 8 s to 16 s, and a keyframe when it returns.
CAMERA_OFF = (
    ("vf", f"select=not(between(t\\,{OFF_S}\\,{ON_S - 0.01}))"),
    ("fps_mode", "vfr"),
    ("force_key_frames", f"{ON_S}"),
    ("tune", "zerolatency"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    config = '[transcoder]\nladder = "source"\n'
    with serving(tmp_path_factory.mktemp("times") / "data", config=config) as server:
        yield server


def warnings(server: Server, stream: str) -> set[str]:
    return {warning["code"] for warning in server.json("show", stream)["warnings"]}


@pytest.mark.parametrize("name", ["hls", "dash", "shaka"])
def test_the_sound_goes_on_while_the_camera_is_off(server: Server, tmp_path: Path, name: str) -> None:
    stream = f"camera-{name}"
    clip = make_clip(Clip(30, size="320x180", video_options=CAMERA_OFF), tmp_path / "clip.flv")
    with (
        publishing(clip, server.create(stream)),
        chromium() as browser,
        visit(browser, f"{server.http}/watch/{stream}?player={name}") as opened,
    ):
        page = opened.page
        wait_for(page, "at => window.headwater.currentTime > at", OFF_S + 1.5)
        heard = page.evaluate(HEARD)
        wait_for(page, f"heard => ({HEARD})() > heard", heard)
        assert page.evaluate("() => window.headwater.currentTime") < ON_S
        wait_for(page, "at => window.headwater.currentTime > at", ON_S + 1)
        check_picture_moves(page)
        assert player(page, "errors") == []
        opened.assert_quiet()


@pytest.mark.parametrize("name", ["dash", "shaka"])
def test_players_follow_media_that_stays_behind(server: Server, tmp_path: Path, name: str) -> None:
    """The network holds the media up for 6 s, and the encoder does not catch up."""
    stream = f"late-{name}"
    clip = make_clip(Clip(60, size="320x180", video_options=(("tune", "zerolatency"),)), tmp_path / "clip.flv")
    with publishing(clip, server.create(stream), catches_up=False) as publisher:
        until(lambda: server.json("show", stream)["state"] == "live")
        publisher.send_signal(signal.SIGSTOP)
        until(lambda: "no-media" in warnings(server, stream), timeout=HELD_UP_S + 4)
        publisher.send_signal(signal.SIGCONT)
        until(lambda: "clock-drift" in warnings(server, stream), timeout=20)
        with chromium() as browser, visit(browser, f"{server.http}/watch/{stream}?player={name}") as opened:
            check_picture_moves(opened.page)
            check_sound(opened.page)
            assert player(opened.page, "errors") == []
            opened.assert_quiet()
