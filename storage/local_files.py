"""Files of one process in a local directory: written atomically, in threads, readable by their owner only."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from storage.directory_errors import translated
from storage.threads import Threads

T = TypeVar("T")

DIRECTORY_MODE, FILE_MODE = 0o700, 0o600


class LocalFiles:
    """Runs calls on files below ``root`` in at most ``threads`` threads."""

    def __init__(self, root: Path, name: str, *, threads: int) -> None:
        self.root = root
        self._threads = Threads(name, threads)

    async def run(self, path: Path | str, call: Callable[[], T]) -> T:
        """``path`` is for errors that do not name a file. Raises StoreMisconfigured and StoreUnavailable."""
        try:
            return await self._threads.run(call)
        except OSError as error:
            raise translated(error, self.root / path) from error

    async def close(self) -> None:
        await self._threads.close()


def make_directory(path: Path) -> None:
    path.mkdir(DIRECTORY_MODE, parents=True, exist_ok=True)


def write_temporary(path: Path, body: bytes, *, sync: bool = False) -> Path:
    """Write a file beside ``path``, to be renamed; returns its path. ``sync`` waits until it is on the disk. Raises
    OSError, after which no file is left."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            if sync:
                file.flush()
                os.fsync(file.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def replace_file(path: Path, body: bytes, *, sync: bool = False) -> None:
    """Write ``path`` atomically. Raises OSError."""
    temporary = write_temporary(path, body, sync=sync)
    try:
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
