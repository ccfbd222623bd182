"""How a worker module is run: by the same interpreter, with this package importable from any directory."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def worker_command(module: str) -> list[str]:
    """``-P`` keeps the working directory off the path: a stray ``av.py`` there must not win."""
    return [sys.executable, "-P", "-m", module]


def worker_environment() -> dict[str, str]:
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{path}" if path else str(ROOT)}
