"""The command and environment of a worker process: the same interpreter, in any directory."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Tunables of glibc's malloc (sizes in bytes) for a process that constantly frees and allocates pictures. It keeps
# the memory, in huge pages; otherwise each picture would be returned to the system and then faulted in again, page
# by page. Other C libraries ignore them.
KEEP_PICTURES = ":".join(
    (
        "glibc.malloc.arena_max=1",
        "glibc.malloc.mmap_threshold=33554432",
        "glibc.malloc.trim_threshold=67108864",
        "glibc.malloc.hugetlb=1",
    )
)


def worker_command(module: str) -> list[str]:
    """``-P`` keeps the working directory off the path: an ``av.py`` there must not shadow PyAV."""
    return [sys.executable, "-P", "-m", module]


def worker_environment(*, keep_pictures: bool = False) -> dict[str, str]:
    """``keep_pictures`` sets ``KEEP_PICTURES``, unless the operator has set tunables."""
    path = os.environ.get("PYTHONPATH")
    tunables = {"GLIBC_TUNABLES": KEEP_PICTURES} if keep_pictures else {}
    return {**tunables, **os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{path}" if path else str(ROOT)}
