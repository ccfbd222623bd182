import os

import pytest

from transcoder.limits import WorkerLimits
from transcoder.spawn import KEEP_PICTURES, KEPT, KEPT_PREFIXES, ROOT, worker_command, worker_environment


def test_the_package_is_importable_and_the_operators_pythonpath_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert worker_environment()["PYTHONPATH"] == f"{ROOT}{os.pathsep}/elsewhere"
    monkeypatch.delenv("PYTHONPATH")
    assert worker_environment()["PYTHONPATH"] == str(ROOT)


def test_only_video_workers_keep_freed_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    assert "GLIBC_TUNABLES" not in worker_environment()
    assert worker_environment(keep_pictures=True)["GLIBC_TUNABLES"] == KEEP_PICTURES


def test_the_operators_tunables_take_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=8")
    assert worker_environment(keep_pictures=True)["GLIBC_TUNABLES"] == "glibc.malloc.arena_max=8"


def test_a_worker_gets_an_allow_list_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *os.environ,
        "AWS_SECRET_ACCESS_KEY",
        "HEADWATER_CLUSTER__SECRET",
        "CUDA_VISIBLE_DEVICES",
        "LC_ALL",
    ):
        monkeypatch.setenv(name, "x")
    assert set(worker_environment()) <= {*KEPT, "PYTHONPATH", "CUDA_VISIBLE_DEVICES", "LC_ALL"} | {
        name for name in os.environ if name.startswith(KEPT_PREFIXES)
    }
    assert worker_environment()["CUDA_VISIBLE_DEVICES"] == "x"
    assert not any("SECRET" in name for name in worker_environment())


@pytest.mark.parametrize("limits", [WorkerLimits(), WorkerLimits(2**30, 640 * 360)])
def test_limits_are_the_first_arguments_of_the_command(limits: WorkerLimits) -> None:
    command = worker_command("transcoder.worker", limits)
    assert WorkerLimits.parse(command[command.index("transcoder.worker") + 1 :]) == limits
    assert WorkerLimits.parse([]) == WorkerLimits()
