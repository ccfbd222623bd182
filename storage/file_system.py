"""The calls that some file systems lack (network mounts, FUSE): locks, syncs, and setting a file's time.

Without them the store works, with less; what is lost is logged once.
"""

import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

log = structlog.get_logger("storage")

_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL})
_NO_LOCK = _UNSUPPORTED | {errno.ENOLCK}
_NO_TIME = _UNSUPPORTED | {errno.EPERM}
# Nanoseconds. A file system rounds times down to its resolution, which is two seconds at worst (FAT).
_STEPS = (0, 1, 1_000, 1_000_000, 1_000_000_000, 2_000_000_000)


class FileSystem:
    """The file system of the directory ``root``. ``locks`` is the number of different locks. Thread-safe."""

    def __init__(self, root: Path, locks: int) -> None:
        self._root = root
        self._locks = [threading.Lock() for _ in range(locks)]
        self._has_locked = False
        self._lacking: set[str] = set()

    @contextmanager
    def locked(self, descriptor: int, number: int) -> Iterator[None]:
        """Hold the lock of the open file, which has this number, against other threads and processes."""
        with self._locks[number]:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._has_locked = True
            except OSError as error:
                # If locks worked before, other processes rely on them.
                if error.errno not in _NO_LOCK or self._has_locked:
                    raise
                self._lacks("flock", "no other process may use this store, or records could lose changes")
            yield

    def sync(self, descriptor: int) -> None:
        """Wait until the file or directory is on the disk."""
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            self._lacks("fsync", "a power failure can lose the last changes, those of streams and keys too")

    def sync_directory(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self.sync(descriptor)
        finally:
            os.close(descriptor)

    def stamp(self, file: int | str, *, after: int = 0) -> int:
        """Set the file's modification time to now; returns it as the file system keeps it, in nanoseconds. It is
        later than ``after``, if necessary by the resolution of the file system."""
        now = time.time_ns()
        for step in _STEPS:
            self._set_time(file, max(now, after + step))
            if (kept := os.stat(file).st_mtime_ns) > after:
                return kept
        raise OSError(errno.EAGAIN, "two changes within the resolution of the file system's times", str(self._root))

    def _set_time(self, file: int | str, modified_ns: int) -> None:
        try:
            os.utime(file, ns=(modified_ns, modified_ns))
        except OSError as error:
            if error.errno not in _NO_TIME:
                raise
            self._lacks("utime", "two changes of a record within the resolution of its times are refused")

    def _lacks(self, call: str, lost: str) -> None:
        if call not in self._lacking:
            self._lacking.add(call)
            log.warning("the store's file system lacks a call", path=str(self._root), call=call, lost=lost)
