import asyncio
import os
import resource
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from control import headroom
from control.headroom import GIB, Headroom, measure

TOTAL = 100 * GIB


def usage(free: int) -> object:
    return lambda path: shutil._ntuple_diskusage(TOTAL, TOTAL - free, free)


@pytest.mark.parametrize(("free", "warns"), [(6 * GIB, False), (4 * GIB, True), (0, True)])
def test_a_disk_that_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, warns: bool
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", usage(free))
    assert list(measure([tmp_path])) == ([str(tmp_path)] if warns else [])


def test_a_large_disk_has_room_with_a_small_share_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1000 * GIB, 980 * GIB, 20 * GIB)
    )
    assert measure([tmp_path]) == {}


def test_a_directory_that_cannot_be_read_is_no_warning(tmp_path: Path) -> None:
    assert measure([tmp_path / "missing"]) == {}


@pytest.fixture
def few_descriptors() -> Iterator[int]:
    """The limit, which is just above what is in use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as held:
        for _ in range(40):
            held.enter_context(open(os.devnull))
        limit = len(os.listdir("/dev/fd")) + 2
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        yield limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_descriptors_that_are_nearly_used_up(few_descriptors: int) -> None:
    assert f"of {few_descriptors} file descriptors" in measure([])["descriptors"]


async def test_a_warning_is_logged_when_it_begins_and_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headroom, "EVERY_S", 0.0)
    steps: list[Mapping[str, str]] = [{}, {"/data": "4 GiB"}, {"/data": "3 GiB"}, {}]
    seen: list[list[str]] = []
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    def next_step() -> Mapping[str, str]:
        seen.append(list(room.warnings))
        if len(seen) == len(steps):
            loop.call_soon_threadsafe(done.set)
        return steps[min(len(seen), len(steps)) - 1]

    with capture_logs() as logged:
        room = Headroom(next_step)
        await asyncio.wait_for(done.wait(), 5)
        while room.warnings:
            await asyncio.sleep(0)
        await room.close()
    assert seen[:4] == [[], [], ["4 GiB"], ["3 GiB"]]
    assert [line["event"] for line in logged] == ["4 GiB", "a warning is over"]
