"""Which modules run as machine code (`make fast`), and whether their sources have changed since."""

import sys
from pathlib import Path
from typing import ClassVar

from control.errors import ControlError

PACKAGES = ("ingest.", "live.", "media.", "packager.", "worker.")


class StaleModules(ControlError):
    """Compiled modules are older than their sources."""

    code: ClassVar[str] = "stale-modules"


def compiled_modules() -> dict[str, Path]:
    """The files of the modules that are loaded and compiled."""
    files = {
        name: Path(module.__file__ or "")
        for name, module in list(sys.modules.items())
        if name.startswith(PACKAGES) and module.__file__
    }
    return {name: file for name, file in files.items() if file.suffix != ".py"}


def require_fresh() -> int:
    """The number of compiled modules. Raises StaleModules: Python would run the old code."""
    compiled = compiled_modules()
    stale = sorted(name for name, file in compiled.items() if _changed(name, file))
    if stale:
        raise StaleModules(
            f"{len(stale)} modules have changed since they were compiled, for example {stale[0]}: run make fast "
            "again, or make plain to run the sources"
        )
    return len(compiled)


def _changed(name: str, file: Path) -> bool:
    source = file.with_name(f"{name.rpartition('.')[2]}.py")
    return source.exists() and source.stat().st_mtime > file.stat().st_mtime
