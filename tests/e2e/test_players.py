"""The watch page in headless Chromium, with the real server and a real broadcast with a ladder."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.browser import (
    check_card,
    check_ladder,
    check_picture_moves,
    check_sound,
    chromium,
    kill_from_dashboard,
    player,
    require_chromium,
    sign_in,
    visit,
    wait_for,
    wait_for_screen,
)
from tests.lab.ffmpeg import ffmpeg_path
from tests.lab.server import Server, serving

require_chromium()
# The server answers 503 to a request that has waited for three segments.
LONGER_THAN_HELD_S = 8


@dataclass(frozen=True, slots=True)
class Stage:
    server: Server
    clip: Path


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("players")
    clip = make_clip(Clip(60, size="854x480"), folder / "clip.flv")
    with serving(folder / "data") as server:
        yield Stage(server, clip)


@pytest.mark.parametrize("player", ["hls", "dash", "shaka"])
def test_the_page_starts_plays_and_switches_quality(stage: Stage, player: str) -> None:
    stream = f"studio-{player}"
    url = stage.server.create(stream)
    with chromium() as browser, visit(browser, f"{stage.server.http}/watch/{stream}?player={player}") as opened:
        wait_for_screen(opened.page, "offline")
        with publishing(stage.clip, url):
            check_picture_moves(opened.page)
            check_sound(opened.page)
            check_ladder(opened.page, ["480p", "360p", "Audio only"])
        opened.assert_quiet()


@pytest.mark.parametrize("name", ["hls", "dash", "shaka"])
def test_playback_continues_when_a_broadcaster_reconnects(stage: Stage, name: str) -> None:
    stream = f"returning-{name}"
    url = stage.server.create(stream)
    with chromium() as browser, visit(browser, f"{stage.server.http}/watch/{stream}?player={name}") as opened:
        page = opened.page
        with publishing(stage.clip, url):
            check_picture_moves(page)
        wait_for_screen(page, "waiting")
        wait_for(page, "seconds => window.headwater.latency > seconds", LONGER_THAN_HELD_S)
        with publishing(stage.clip, url):
            wait_for_screen(page, "playing")
            check_picture_moves(page)
        assert player(page, "errors") == []


def test_the_picture_joins_sound_that_began_alone(stage: Stage) -> None:
    """The publisher's first keyframe comes after 12 s. The viewer hears the sound from the start."""
    url = stage.server.create("late-picture")
    late = [
        *(ffmpeg_path(), "-loglevel", "error", "-re", "-i", str(stage.clip), "-c", "copy"),
        *("-bsf:v", "noise=drop=key*lt(n\\,360)", "-f", "flv", url),
    ]
    publisher = subprocess.Popen(late, stdin=subprocess.DEVNULL)
    try:
        with chromium() as browser, visit(browser, f"{stage.server.http}/watch/late-picture?player=hls") as opened:
            check_sound(opened.page)
            assert player(opened.page, "width") == 0
            check_picture_moves(opened.page)
            check_sound(opened.page)
    finally:
        publisher.kill()
        publisher.wait()


def test_the_operator_can_see_and_end_a_broadcast(stage: Stage) -> None:
    token = (stage.server.data / "api-token").read_text().strip()
    with (
        chromium() as browser,
        publishing(stage.clip, stage.server.create("studio")) as publisher,
        # The broadcast may end while the dashboard requests its picture.
        visit(browser, f"{stage.server.http}/", ignored=("thumbnail.jpg",)) as opened,
    ):
        sign_in(opened.page, token)
        check_card(opened.page, "studio", "live")
        kill_from_dashboard(opened.page, "studio")
        check_card(opened.page, "studio", "idle")
        assert publisher.wait(10) != 0
        opened.assert_quiet()
