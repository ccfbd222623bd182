"""Two real ffmpegs publish at once: the primary stalls, the backup takes over, and the operator switches back."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lab.broadcaster import Clip, make_clip, play, publishing
from tests.lab.server import Server, serving
from tests.lab.waiting import until
from tests.torture.oracle import judge_track
from tests.torture.recording import Track, read_recordings

# The time that a stall lasts, the server's checks of it, and the delay of a frame on a busy machine.
LONGEST_HOLE_S = 1.0 + 0.1 + 0.3
CLIPS = {
    "primary": Clip(20, size="320x180"),
    "same": Clip(20, size="320x180", video_kbps=500),
    "other": Clip(20, size="480x270", fps=25, gop=50),
}
RUNG = [{"height": 120, "bitrate": "150k"}]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name, clip in CLIPS.items():
        make_clip(clip, folder / f"{name}.flv")
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("backup")) as server:
        yield server


def status(server: Server, stream: str) -> dict[str, Any]:
    token = (server.data / "api-token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    answer: dict[str, Any] = httpx.get(f"{server.http}/api/v1/streams/{stream}", headers=headers).json()
    return answer


def roles(server: Server, stream: str) -> tuple[str | None, str | None]:
    """The publisher on air and the one on standby."""
    shown = status(server, stream)
    on_air, standby = (shown[place] and shown[place]["role"] for place in ("publisher", "standby"))
    return on_air, standby


def warnings(server: Server, stream: str) -> set[str]:
    return {warning["code"] for warning in status(server, stream)["warnings"]}


def switches(server: Server, stream: str) -> dict[str, float]:
    text = httpx.get(f"{server.http}/metrics").text
    lines = (line for line in text.splitlines() if line.startswith("headwater_publisher_switches_total{"))
    found = {line.split('cause="')[1].split('"')[0]: float(line.split()[-1]) for line in lines if stream in line}
    return found


def holes(track: Track) -> list[float]:
    """The seconds without media between segments."""
    return [after.start_s - before.end_s for before, after in pairwise(track.media)]


@pytest.mark.parametrize(("backup", "ladder"), [("same", RUNG), ("other", "source")])
def test_a_backup_takes_over_and_the_primary_returns_by_choice(
    server: Server, clips: Path, backup: str, ladder: object
) -> None:
    stream = f"with-{backup}"
    url = server.create(stream, ladder=ladder)
    key = server.json("backup-key", stream)["key"]
    assert "not live: there is nothing to switch" in server.cli("switch", stream).stderr
    with ExitStack() as publishers:
        primary = publishers.enter_context(publishing(clips / "primary.flv", url, loop=True))
        until(lambda: roles(server, stream) == ("primary", None))
        assert "the backup is not connected: only the primary publishes" in server.cli("switch", stream).stderr
        publishers.enter_context(publishing(clips / f"{backup}.flv", f"{server.rtmp}/{key}", loop=True))
        until(lambda: roles(server, stream) == ("primary", "backup"))
        time.sleep(5)

        primary.send_signal(signal.SIGSTOP)
        until(lambda: roles(server, stream) == ("backup", "primary"), timeout=5)
        assert "backup-on-air" in warnings(server, stream)
        time.sleep(4)
        primary.send_signal(signal.SIGCONT)
        until(lambda: server.cli("switch", stream).returncode == 0, timeout=5)
        until(lambda: roles(server, stream) == ("primary", "backup"), timeout=10)
        assert warnings(server, stream) & {"backup-on-air", "standby-silent"} == set()
        time.sleep(4)
        assert switches(server, stream) == {"stalled": 1, "operator": 1}
        assert server.cli("kill", stream).returncode == 0
        until(lambda: roles(server, stream) == (None, None))
    until(lambda: server.json("broadcasts", stream)[0]["state"] == "ended")

    (recording,) = read_recordings(server.data / "store" / "live" / stream)
    assert {track.name for track in recording.tracks} == {"vsource", "asource"} | (
        {"v120p"} if ladder is RUNG else set()
    )
    for track in recording.tracks:
        assert list(judge_track(track)) == [], track.name
        assert max(holes(track)) <= LONGEST_HOLE_S, track.name
        assert [segment.discontinuity for segment in track.media].count(True) == 2, track.name
    assert play(f"{server.http}/live/{stream}/master.m3u8").errors == ""


def test_a_broadcast_goes_on_when_the_primary_stops_and_ends_with_the_last(server: Server, clips: Path) -> None:
    url = server.create("last")
    key = server.json("backup-key", "last")["key"]
    with publishing(clips / "primary.flv", url, seconds=6) as primary:
        until(lambda: roles(server, "last") == ("primary", None))
        with publishing(clips / "same.flv", f"{server.rtmp}/{key}", seconds=10) as backup:
            assert primary.wait(20) == 0
            until(lambda: roles(server, "last") == ("backup", None))
            assert backup.wait(20) == 0
    until(lambda: roles(server, "last") == (None, None))
    (broadcast,) = server.json("broadcasts", "last")
    assert (broadcast["state"], broadcast["end_reason"]) == ("ended", "the publisher stopped")
