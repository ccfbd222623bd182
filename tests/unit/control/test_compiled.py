"""Which form of the hot modules runs: the sources, or machine code."""

import importlib
import os
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

import fast
from control.compiled import PACKAGES, StaleModules, compiled_modules, require_fresh

# Read here, because the tests of this package have no such variables.
FORM = os.environ.get("HEADWATER_TEST_FORM", "plain")
HOT = {path.removesuffix(".py").replace("/", ".") for path in fast.MODULES}


def test_the_form_that_was_asked_for_runs() -> None:
    for name in HOT:
        importlib.import_module(name)
    assert compiled_modules().keys() == (HOT if FORM == "compiled" else set()), f"{FORM} was asked for"
    assert require_fresh() == len(compiled_modules())


def test_the_hot_modules_are_where_the_check_looks() -> None:
    assert all(name.startswith(PACKAGES) for name in HOT)


@pytest.mark.parametrize(("source_age", "stale"), [(0, False), (-1, False), (1, True)])
def test_a_source_that_changed_after_the_compilation_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source_age: int, stale: bool
) -> None:
    name, source, compiled = "ingest.cold", tmp_path / "cold.py", tmp_path / "cold.cpython-311.so"
    for file, at in ((compiled, 1_700_000_000), (source, 1_700_000_000 + source_age)):
        file.touch()
        os.utime(file, (at, at))
    module = ModuleType(name)
    module.__file__ = str(compiled)
    monkeypatch.setitem(sys.modules, name, module)
    assert compiled_modules()[name] == compiled
    if stale:
        with pytest.raises(StaleModules, match=r"example ingest\.cold: run make fast again"):
            require_fresh()
    else:
        require_fresh()


def test_compiled_modules_are_removed(tmp_path: Path) -> None:
    kept = [tmp_path / "ingest" / "feed.py", tmp_path / "storage" / "other.so"]
    gone = [tmp_path / "ingest" / "rtmp" / "buffer.cpython-311.so", tmp_path / f"{fast.SHARED}.cpython-311.so"]
    for file in (*kept, *gone):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    fast.remove(tmp_path)
    assert [file.exists() for file in (*kept, *gone)] == [True, True, False, False]


def test_what_is_missing_to_compile_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.touch(mode=0o755)
    monkeypatch.setenv("CC", str(tmp_path / "absent"))
    assert "no C compiler" in (fast.missing() or "")
    monkeypatch.setenv("CC", str(compiler))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    assert "headers of this Python" in (fast.missing() or "")
    (tmp_path / "Python.h").touch()
    assert fast.missing() is None
