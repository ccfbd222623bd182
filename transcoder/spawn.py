"""The command and environment of a worker process: the same interpreter, in any directory, without secrets.

A worker decodes what strangers send, so it gets no more than it needs: the environment is an allow-list. What a
process can only set for itself, it sets before it reads anything (:func:`transcoder.worker.pipes.set_up_process`).
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from transcoder.errors import WorkerUnavailable
from transcoder.limits import WorkerLimits

ROOT = Path(__file__).resolve().parent.parent

# Variables that a worker keeps: where programs and libraries are, the language and clock of messages, the
# allocator, and what the drivers of encoders on GPUs read. None of them has a secret.
KEPT = frozenset(
    {
        *("PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONHOME", "TMPDIR", "TZ", "LANG", "GLIBC_TUNABLES"),
        *("MALLOC_ARENA_MAX", "HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME"),
    }
)
KEPT_PREFIXES = ("LC_", "CUDA_", "NVIDIA_", "LIBVA_", "ONEVPL_", "MFX_")

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


def worker_command(module: str, limits: WorkerLimits) -> list[str]:
    """``-P`` keeps the working directory off the path: an ``av.py`` there must not shadow PyAV."""
    return [sys.executable, "-P", "-m", module, *limits.arguments()]


def worker_environment(*, keep_pictures: bool = False) -> dict[str, str]:
    """``keep_pictures`` sets ``KEEP_PICTURES``, unless the operator has set tunables."""
    path = os.environ.get("PYTHONPATH")
    tunables = {"GLIBC_TUNABLES": KEEP_PICTURES} if keep_pictures else {}
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}
    return {**tunables, **kept, "PYTHONPATH": f"{ROOT}{os.pathsep}{path}" if path else str(ROOT)}


def ask_worker(
    module: str, limits: WorkerLimits, *arguments: str, timeout_s: float, keep_pictures: bool = False
) -> Any:
    """The JSON that a worker prints, and then ends. Blocks. Raises WorkerUnavailable."""
    try:
        result = subprocess.run(
            [*worker_command(module, limits), *arguments],
            env=worker_environment(keep_pictures=keep_pictures),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=True,
        )
        return json.loads(result.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise WorkerUnavailable(str(error)) from error
