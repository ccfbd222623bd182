"""Runs a worker module with the same interpreter, with this package importable from any directory."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# For a process that frees and allocates pictures all the time. It keeps the memory, in huge pages; otherwise each
# picture would be returned to the system and faulted in again page by page, cleared. (Tunables of glibc's malloc,
# which other libraries ignore; the sizes are bytes.)
KEEP_PICTURES = ":".join(
    (
        "glibc.malloc.arena_max=1",
        "glibc.malloc.mmap_threshold=33554432",
        "glibc.malloc.trim_threshold=67108864",
        "glibc.malloc.hugetlb=1",
    )
)


def worker_command(module: str) -> list[str]:
    """``-P`` keeps the working directory off the path: a stray ``av.py`` there must not win."""
    return [sys.executable, "-P", "-m", module]


def worker_environment(*, keep_pictures: bool = False) -> dict[str, str]:
    """``keep_pictures`` is for a process that allocates pictures all the time; the operator's own tunables win."""
    path = os.environ.get("PYTHONPATH")
    tunables = {"GLIBC_TUNABLES": KEEP_PICTURES} if keep_pictures else {}
    return {**tunables, **os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{path}" if path else str(ROOT)}
