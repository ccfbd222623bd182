import subprocess
import tempfile
from importlib.machinery import ModuleSpec
from itertools import pairwise
from pathlib import Path

import av
import ffmpeg  # type: ignore[import-untyped]
import pytest

from tests.lab import footage
from tests.lab.errors import LabError
from tests.lab.ffmpeg import command_of


def test_a_missing_package_is_reported_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footage, "find_spec", lambda name: None)
    with pytest.raises(LabError, match="pip install"):
        footage.photographs()


def test_the_photographs_are_found_without_importing_their_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = [tmp_path / footage.FOLDER / name for name in footage.PHOTOGRAPHS]
    spec = ModuleSpec(footage.PACKAGE, None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(footage, "find_spec", lambda name: spec)
    with pytest.raises(LabError, match="pip install"):
        footage.photographs()
    expected[0].parent.mkdir()
    for path in expected:
        path.touch()
    assert footage.photographs() == expected


def test_a_clip_is_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[list[str]] = []

    def make(command: list[str]) -> None:
        made.append(command)
        next(Path(word) for word in command if word.startswith(str(tmp_path))).touch()

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(footage, "photographs", lambda: [Path("a.png"), Path("b.png")])
    monkeypatch.setattr(footage, "_make", make)
    first = footage.clip(video_kbps=4000, seconds=8, gop_s=1.5)
    assert footage.clip(video_kbps=4000, seconds=8, gop_s=1.5) == first
    assert footage.clip(video_kbps=4001, seconds=8, gop_s=1.5) != first
    assert len(made) == 2
    options = dict(pairwise(made[0]))
    assert (options["-g"], options["-b:v"], options["-t"]) == ("45", "4000k", "8")
    assert {path.suffix for path in tmp_path.iterdir()} == {".flv"}


def test_every_picture_of_a_clip_is_new(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A repeated picture costs nothing to encode."""
    photographs = [tmp_path / name for name in footage.PHOTOGRAPHS]
    for path in photographs:
        pattern = ffmpeg.input("testsrc2=size=320x200", f="lavfi")
        subprocess.run(command_of(ffmpeg.output(pattern, str(path), vframes=1)), check=True)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(footage, "photographs", lambda: photographs)
    made = footage.clip(video_kbps=400, seconds=2, size="320x180")
    with av.open(str(made)) as container:
        pictures = [bytes(frame.planes[0]) for frame in container.decode(video=0)]
        assert container.streams.audio[0].codec_context.layout.name == "stereo"
    assert len(pictures) == len(set(pictures)) == 60
