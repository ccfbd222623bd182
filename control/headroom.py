"""Warns while a disk is nearly full, or file descriptors are nearly used up."""

import asyncio
import os
import resource
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import structlog

log = structlog.get_logger("control")

EVERY_S = 10.0
# A disk is nearly full if less than both of these are free: a share of it, and bytes.
LEAST_SHARE = 0.05
LEAST_BYTES = 10 << 30
# The share of the descriptors in use.
MOST_DESCRIPTORS = 0.9
GIB = 1 << 30


class Headroom:
    """Looks every EVERY_S, until :meth:`close`. ``measure`` returns the warnings by what they are about. It runs in
    a thread, because a network disk may hang."""

    def __init__(self, measure: Callable[[], Mapping[str, str]]) -> None:
        self._measure = measure
        self._warnings: Mapping[str, str] = {}
        self._task = asyncio.create_task(self._watch())

    @property
    def warnings(self) -> Collection[str]:
        return self._warnings.values()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            self._update(await asyncio.to_thread(self._measure))
            await asyncio.sleep(EVERY_S)

    def _update(self, warnings: Mapping[str, str]) -> None:
        for subject in warnings.keys() - self._warnings.keys():
            log.warning(warnings[subject])
        for subject in self._warnings.keys() - warnings.keys():
            log.info("a warning is over", about=subject)
        self._warnings = warnings


def measure(directories: Collection[Path]) -> dict[str, str]:
    """The warnings about the disks of ``directories``, and about this process's descriptors."""
    warnings = {str(path): text for path in directories if (text := _disk(path)) is not None}
    used, limit = len(os.listdir("/dev/fd")), resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit != resource.RLIM_INFINITY and used > MOST_DESCRIPTORS * limit:
        warnings["descriptors"] = f"{used} of {limit} file descriptors are in use (ulimit -n, LimitNOFILE)"
    return warnings


def _disk(path: Path) -> str | None:
    try:
        total, _, free = shutil.disk_usage(path)
    except OSError:
        # The store reports what it cannot write.
        return None
    if free >= LEAST_BYTES or free >= LEAST_SHARE * total:
        return None
    return f"the disk of {path} is nearly full: {free / GIB:.1f} GiB of {total / GIB:.1f} GiB are free"
