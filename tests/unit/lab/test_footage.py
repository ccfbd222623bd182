import tempfile
from importlib.machinery import ModuleSpec
from itertools import pairwise
from pathlib import Path

import pytest

from tests.lab import footage
from tests.lab.errors import LabError


def test_a_missing_package_is_reported_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footage, "find_spec", lambda name: None)
    with pytest.raises(LabError, match="pip install"):
        footage.footage()


def test_the_file_is_found_without_importing_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    film = tmp_path / footage.FILE
    film.parent.mkdir(parents=True)
    film.touch()
    spec = ModuleSpec(footage.PACKAGE, None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(footage, "find_spec", lambda name: spec)
    assert footage.footage() == film


def test_a_clip_is_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[list[str]] = []

    def make(command: list[str]) -> None:
        made.append(command)
        next(Path(word) for word in command if word.startswith(str(tmp_path))).touch()

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(footage, "footage", lambda: Path("film.mp4"))
    monkeypatch.setattr(footage, "_make", make)
    first = footage.clip(video_kbps=4000, seconds=8, gop_s=1.5)
    assert footage.clip(video_kbps=4000, seconds=8, gop_s=1.5) == first
    assert footage.clip(video_kbps=4001, seconds=8, gop_s=1.5) != first
    assert len(made) == 2
    options = dict(pairwise(made[0]))
    assert (options["-g"], options["-b:v"], options["-t"]) == ("45", "4000k", "8")
    assert {path.suffix for path in tmp_path.iterdir()} == {".flv"}
