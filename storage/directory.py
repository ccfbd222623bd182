"""The object store of a single machine: a directory with one file per object; the key is its relative path.

Files are written atomically: first under ``.headwater/``, and then renamed to their path. Conditional puts lock one
of a few lock files (``flock``), so they are safe between processes too. The ETag consists of the file's
modification time, which each put sets to the nanosecond, and its size.
"""

import errno
import fcntl
import os
import secrets
import stat
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import TypeVar

from storage import content
from storage.directory_errors import translated
from storage.interface import (
    ObjectInfo,
    ObjectNotFound,
    PreconditionFailed,
    StoredObject,
)
from storage.object_keys import is_key, is_key_prefix, require_key, require_possible
from storage.probe import probe
from storage.threads import Threads

T = TypeVar("T")

INTERNAL = ".headwater"
LOCKS = 64
LIST_BATCH = 256
RENAME_TRIES = 16
STALE_AFTER_S = 3600.0
"""Seconds after which a temporary file must belong to a process that died."""


class DirectoryStore:
    """:class:`storage.interface.ObjectStore` on a directory.

    ``fsync``: every put waits until the bytes and the name are on the disk. Without it, only conditional puts wait,
    because their objects are small and irreplaceable; a power failure can then lose the last seconds of media.
    ``threads`` is the number of files that are read or written at once.
    """

    def __init__(self, root: Path, *, fsync: bool = False, threads: int = 4) -> None:
        self._root = root
        # A string: for each object, pathlib would cost more than the file operation itself.
        self._prefix = f"{root}/"
        self._temporaries = f"{root}/{INTERNAL}/tmp/{secrets.token_hex(6)}-"
        self._written = count()
        self._fsync = fsync
        self._threads = Threads("store-directory", threads)

    async def check(self) -> None:
        await self._run(str(self._root), self._prepare)
        await probe(self)

    async def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> ObjectInfo:
        require_key(key)
        put = partial(self._put, key, body, if_none_match=if_none_match, if_match=if_match)
        conditional = if_none_match or if_match is not None
        return await self._run(key, put, gathered=not conditional)

    async def get(self, key: str) -> StoredObject:
        require_possible(key)
        return await self._run(key, lambda: self._get(key))

    async def head(self, key: str) -> ObjectInfo:
        require_possible(key)
        return await self._run(key, lambda: self._head(key))

    async def delete(self, key: str) -> None:
        if is_key(key):
            await self._run(key, lambda: self._delete(key))

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        if not is_key_prefix(prefix):
            return
        walk = self._walk(prefix)
        while batch := await self._run(prefix, lambda: list(islice(walk, LIST_BATCH))):
            for info in batch:
                yield info

    async def close(self) -> None:
        await self._threads.close()

    async def _run(self, path: str, call: Callable[[], T], *, gathered: bool = False) -> T:
        try:
            return await (self._threads.run_gathered(call) if gathered else self._threads.run(call))
        except OSError as error:
            raise translated(error, self._root / path) from error

    def _prepare(self) -> None:
        (self._root / INTERNAL / "tmp").mkdir(parents=True, exist_ok=True)
        (self._root / INTERNAL / "locks").mkdir(exist_ok=True)
        stale = time.time() - STALE_AFTER_S
        for temporary in (self._root / INTERNAL / "tmp").iterdir():
            with suppress(FileNotFoundError):
                if temporary.stat().st_mtime < stale:
                    temporary.unlink()

    def _put(self, key: str, body: bytes, *, if_none_match: bool, if_match: str | None) -> ObjectInfo:
        conditional = if_none_match or if_match is not None
        sync = self._fsync or conditional
        temporary, modified_ns = self._write_temporary(body, sync=sync)
        try:
            if not conditional:
                self._rename(temporary, self._prefix + key, sync=sync)
            else:
                with self._locked(key):
                    self._require_condition(key, if_match)
                    # Set under the lock, so that two conditional puts of one key never share an ETag.
                    modified_ns = time.time_ns()
                    os.utime(temporary, ns=(modified_ns, modified_ns))
                    self._rename(temporary, self._prefix + key, sync=sync)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        return _info(key, len(body), modified_ns)

    def _write_temporary(self, body: bytes, *, sync: bool) -> tuple[str, int]:
        """Returns the file's path and its modification time in nanoseconds."""
        path = f"{self._temporaries}{next(self._written)}"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileNotFoundError:
            self._prepare()
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            remaining = memoryview(body)
            while remaining:
                remaining = remaining[os.write(descriptor, remaining) :]
            modified_ns = time.time_ns()
            os.utime(descriptor, ns=(modified_ns, modified_ns))
            if sync:
                os.fsync(descriptor)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(path)
            raise
        finally:
            os.close(descriptor)
        return path, modified_ns

    def _require_condition(self, key: str, if_match: str | None) -> None:
        try:
            current = self._head(key)
        except ObjectNotFound:
            if if_match is None:
                return
            raise PreconditionFailed(f"{key} does not exist any more") from None
        if if_match is None:
            raise PreconditionFailed(f"{key} exists already")
        if current.etag != if_match:
            raise PreconditionFailed(f"{key} was changed by another writer")

    def _rename(self, temporary: str, path: str, *, sync: bool) -> None:
        for _ in range(RENAME_TRIES):
            # The directory does not exist yet, or a concurrent delete has just removed it because it was empty.
            with suppress(FileNotFoundError):
                os.replace(temporary, path)
                break
            with suppress(FileNotFoundError):
                self._make_directories(Path(path).parent, sync=sync)
        else:
            raise OSError(errno.EAGAIN, "another process keeps removing its directory", path)
        if sync:
            with suppress(FileNotFoundError):
                _sync_directory(Path(path).parent)

    def _make_directories(self, path: Path, *, sync: bool) -> None:
        if path == self._root or path.is_dir():
            return
        self._make_directories(path.parent, sync=sync)
        with suppress(FileExistsError):
            path.mkdir()
        if sync:
            _sync_directory(path.parent)

    def _get(self, key: str) -> StoredObject:
        try:
            with open(self._root / key, "rb") as file:
                status = os.fstat(file.fileno())
                return StoredObject(_info(key, status.st_size, status.st_mtime_ns), file.read())
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise ObjectNotFound(f"there is no object {key}") from None

    def _head(self, key: str) -> ObjectInfo:
        try:
            status = os.stat(self._root / key)
        except (FileNotFoundError, NotADirectoryError):
            raise ObjectNotFound(f"there is no object {key}") from None
        if not stat.S_ISREG(status.st_mode):
            raise ObjectNotFound(f"there is no object {key}")
        return _info(key, status.st_size, status.st_mtime_ns)

    def _delete(self, key: str) -> None:
        path = self._root / key
        with self._locked(key):
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return
        for parent in path.parents:
            if parent == self._root:
                return
            try:
                parent.rmdir()
            except OSError:
                return

    def _walk(self, prefix: str) -> Iterator[ObjectInfo]:
        directory, _, start = prefix.rpartition("/")
        yield from self._walk_directory(f"{directory}/" if directory else "", start)

    def _walk_directory(self, directory: str, start: str) -> Iterator[ObjectInfo]:
        """``directory`` is empty or ends in ``/``; a directory sorts as its name with the ``/`` that follows."""
        try:
            with os.scandir(self._root / directory) as entries:
                names = sorted(
                    f"{entry.name}/" if entry.is_dir() else entry.name
                    for entry in entries
                    if entry.name.startswith(start) and not entry.name.startswith(".")
                )
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in names:
            if name.endswith("/") and is_key_prefix(directory + name):
                yield from self._walk_directory(directory + name, "")
            elif is_key(directory + name):
                with suppress(ObjectNotFound):
                    yield self._head(directory + name)

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        path = self._root / INTERNAL / "locks" / f"{zlib.crc32(key.encode()) % LOCKS:02d}"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            self._prepare()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _info(key: str, size: int, modified_ns: int) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size=size,
        etag=f"{modified_ns:x}-{size:x}",
        modified=modified_ns / 1e9,
        content_type=content.content_type(key),
        cache_control=content.cache_control(key),
    )


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
