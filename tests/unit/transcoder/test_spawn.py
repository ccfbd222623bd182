import os

import pytest

from transcoder.spawn import KEEP_PICTURES, ROOT, worker_environment


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
