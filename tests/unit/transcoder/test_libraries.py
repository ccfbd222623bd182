"""The versions of PyAV and FFmpeg, as a worker process reports them."""

import av
import pytest

from transcoder import spawn
from transcoder.errors import WorkerUnavailable
from transcoder.libraries import Libraries, find_libraries
from transcoder.limits import WorkerLimits

LIMITS = WorkerLimits(2**30, 1920 * 1080)


def test_the_versions_are_those_of_this_environment() -> None:
    assert find_libraries(LIMITS) == Libraries(av.__version__, av.ffmpeg_version_info)


@pytest.mark.parametrize("command", [["/no/such/program"], ["false"], ["echo", "nonsense"], ["echo", "[]"]])
def test_a_worker_that_fails_is_reported(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setattr(spawn, "worker_command", lambda module, limits: command)
    with pytest.raises(WorkerUnavailable, match="the versions of PyAV and FFmpeg are not known"):
        find_libraries(WorkerLimits(2**30, 1))
