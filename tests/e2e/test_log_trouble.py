"""A server whose log takes no lines: it goes on, restarts its transcoder, and ends in time."""

import fcntl
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab import processes
from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.server import Server, serving
from tests.lab.waiting import until

CONFIG = '[log]\nlevel = "debug"\n'
PIPE_SIZE = 4096
# SIGTERM ends the broadcast first: its last frames, and the uploads.
END_S = 15


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(Clip(30, size="640x480"), tmp_path_factory.mktemp("clip") / "clip.flv")


@contextmanager
def full_pipe() -> Iterator[int]:
    """The writing end of a pipe that is full and that nobody reads."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    os.write(writing, b"." * PIPE_SIZE)
    yield writing
    os.close(reading)
    os.close(writing)


def transcoder(server: Server) -> int | None:
    """The transcoder's process."""
    for pid in processes.descendants(server.pid):
        if b"transcoder.worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None


def metric(server: Server, name: str) -> float:
    with urllib.request.urlopen(f"{server.http}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def segments(server: Server, track: str) -> int:
    return len(list((server.data / "store" / "live" / "studio").glob(f"*/{track}/*.m4s")))


def broadcast_through_a_crash(server: Server, clip: Path, *, lost: bool = False) -> None:
    url = server.create("studio")
    with publishing(clip, url):
        first = until(lambda: transcoder(server), timeout=20)
        until(lambda: segments(server, "v360p") >= 1, timeout=30)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        until(lambda: transcoder(server) not in (None, first), timeout=20)
        made = segments(server, "v360p")
        until(lambda: segments(server, "v360p") > made, timeout=20)
        assert lost == (metric(server, "headwater_log_lines_lost_total") > 0)
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < END_S
    (broadcast,) = (server.data / "store" / "live" / "studio").glob("*/vsource")
    assert "#EXT-X-ENDLIST" in (broadcast / "media.m3u8").read_text()


def test_the_log_is_on_a_full_disk(tmp_path: Path, clip: Path) -> None:
    with serving(tmp_path, config=CONFIG, redirection="2>/dev/full") as server:
        broadcast_through_a_crash(server, clip, lost=True)


def test_the_log_is_a_pipe_that_nobody_reads(tmp_path: Path, clip: Path) -> None:
    with (
        full_pipe() as pipe,
        serving(tmp_path, config=CONFIG, redirection=f"2>/proc/self/fd/{pipe}", inherited=(pipe,)) as server,
    ):
        broadcast_through_a_crash(server, clip)


def test_standard_error_is_closed(tmp_path: Path, clip: Path) -> None:
    with serving(tmp_path, config=CONFIG, redirection="2>&-") as server:
        assert os.readlink(f"/proc/{server.pid}/fd/2") == os.devnull
        broadcast_through_a_crash(server, clip)
