"""The object store of a single machine: a directory with one file per object; the key is its relative path.

Files are written atomically: first under ``.headwater/``, and then renamed to their path. Conditional puts lock one
of a few lock files (``flock``), so they are safe between processes too. The ETag consists of the file's
modification time, which each put sets to the nanosecond, and its size.

Only the owner may read the catalogue: it has secrets and hashes of keys. Media may be read by everybody, for
example by a web server.
"""

import errno
import os
import secrets
import stat
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import TypeVar

from storage import content
from storage.directory_errors import translated
from storage.directory_mark import DirectoryMark
from storage.file_system import FileSystem
from storage.identity import read_or_create_identity
from storage.interface import (
    MAX_DELETED,
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
# The keys below it, and the modes of all directories and files there.
PRIVATE = "catalogue/"
PRIVATE_DIRECTORY, PRIVATE_FILE = 0o700, 0o600
PUBLIC_DIRECTORY, PUBLIC_FILE = 0o777, 0o666
LOCKS = 64
LIST_BATCH = 256
RENAME_TRIES = 16
STALE_AFTER_S = 3600.0
"""Seconds after which a temporary file must belong to a process that died."""


class DirectoryStore:
    """:class:`storage.interface.ObjectStore` on a directory.

    ``fsync``: every put waits until the bytes and the name are on the disk. Without it, only conditional puts wait,
    because their objects are small and irreplaceable; a power failure can then lose the last seconds of media.
    ``threads`` is the number of files that are read at once, and of those that are written at once.
    """

    def __init__(self, root: Path, *, fsync: bool = False, threads: int = 4) -> None:
        self._root = root
        # A string: for each object, pathlib would cost more than the file operation itself.
        self._prefix = f"{root}/"
        self._temporaries = f"{root}/{INTERNAL}/tmp/{secrets.token_hex(6)}-"
        self._written = count()
        self._fsync = fsync
        self._file_system = FileSystem(root, LOCKS)
        self._catalogue_closed = False
        self._mark = DirectoryMark(root)
        # Apart, so that viewers' reads never delay an upload.
        self._readers = Threads("store-read", threads)
        self._writers = Threads("store-write", threads)
        # Apart too: a batch of deletions takes long.
        self._deleters = Threads("store-delete", 1)

    async def check(self) -> None:
        await self.identify()
        await probe(self)

    async def identify(self) -> str:
        await self._write("", self._set_up)
        identity = await read_or_create_identity(self)
        self._mark.set(identity)
        return identity

    async def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> ObjectInfo:
        require_key(key)
        put = partial(self._put, key, body, if_none_match=if_none_match, if_match=if_match)
        conditional = if_none_match or if_match is not None
        return await self._write(key, put, gathered=not conditional)

    async def get(self, key: str) -> StoredObject:
        require_possible(key)
        return await self._read(key, lambda: self._get(key))

    async def head(self, key: str) -> ObjectInfo:
        require_possible(key)
        return await self._read(key, lambda: self._head(key))

    async def delete(self, key: str) -> None:
        if is_key(key):
            await self._write(key, lambda: self._delete(key))

    async def delete_many(self, keys: Sequence[str]) -> None:
        assert len(keys) <= MAX_DELETED
        possible = [key for key in keys if is_key(key)]
        try:
            await self._deleters.run(lambda: self._delete_all(possible))
        except OSError as error:
            raise translated(error, self._root) from error

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        if not is_key_prefix(prefix):
            return
        walk = self._walk(prefix)
        while batch := await self._read(prefix, lambda: list(islice(walk, LIST_BATCH))):
            for info in batch:
                yield info

    async def close(self) -> None:
        await self._readers.close()
        await self._writers.close()
        await self._deleters.close()

    async def _read(self, path: str, call: Callable[[], T]) -> T:
        try:
            return await self._readers.run(call)
        except OSError as error:
            raise translated(error, self._root / path) from error

    async def _write(self, path: str, call: Callable[[], T], *, gathered: bool = False) -> T:
        try:
            return await (self._writers.run_gathered(call) if gathered else self._writers.run(call))
        except OSError as error:
            raise translated(error, self._root / path) from error

    def _set_up(self) -> None:
        self._mark.accept()
        self._prepare()

    def _prepare(self) -> None:
        self._mark.require()
        (self._root / INTERNAL).mkdir(parents=not self._mark.is_set_up, exist_ok=True)
        for folder in ("tmp", "locks"):
            (self._root / INTERNAL / folder).mkdir(exist_ok=True)
        stale = time.time() - STALE_AFTER_S
        for temporary in (self._root / INTERNAL / "tmp").iterdir():
            with suppress(FileNotFoundError):
                if temporary.stat().st_mtime < stale:
                    temporary.unlink()
        if not self._catalogue_closed:
            self._close_catalogue()
            self._catalogue_closed = True

    def _close_catalogue(self) -> None:
        """Take the catalogue of an earlier version from other users. It reads every name, so it runs once."""
        for folder, _, names in os.walk(self._root / PRIVATE):
            for path, mode in (
                (folder, PRIVATE_DIRECTORY),
                *((f"{folder}/{name}", PRIVATE_FILE) for name in names),
            ):
                with suppress(FileNotFoundError):
                    if os.stat(path).st_mode & 0o077:
                        os.chmod(path, mode)

    def _put(self, key: str, body: bytes, *, if_none_match: bool, if_match: str | None) -> ObjectInfo:
        conditional = if_none_match or if_match is not None
        sync = self._fsync or conditional
        mode = PRIVATE_FILE if key.startswith(PRIVATE) else PUBLIC_FILE
        temporary, modified_ns = self._write_temporary(body, mode, sync=sync)
        try:
            if not conditional:
                self._rename(temporary, self._prefix + key, sync=sync)
            else:
                with self._locked(key):
                    replaced_ns = self._require_condition(key, if_match)
                    # Set under the lock, so that two conditional puts of one key never share an ETag.
                    modified_ns = self._file_system.stamp(temporary, after=replaced_ns)
                    self._rename(temporary, self._prefix + key, sync=sync)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        return _info(key, len(body), modified_ns)

    def _write_temporary(self, body: bytes, mode: int, *, sync: bool) -> tuple[str, int]:
        """Returns the file's path and its modification time in nanoseconds."""
        path = f"{self._temporaries}{next(self._written)}"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileNotFoundError:
            self._prepare()
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            remaining = memoryview(body)
            while remaining:
                remaining = remaining[os.write(descriptor, remaining) :]
            modified_ns = self._file_system.stamp(descriptor)
            if sync:
                self._file_system.sync(descriptor)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(path)
            raise
        finally:
            os.close(descriptor)
        return path, modified_ns

    def _require_condition(self, key: str, if_match: str | None) -> int:
        """Returns the modification time of the object that may be replaced, 0 without one."""
        try:
            current = self._head(key)
        except ObjectNotFound:
            if if_match is None:
                return 0
            raise PreconditionFailed(f"{key} does not exist any more") from None
        if if_match is None:
            raise PreconditionFailed(f"{key} exists already")
        if current.etag != if_match:
            raise PreconditionFailed(f"{key} was changed by another writer")
        return os.stat(self._prefix + key).st_mtime_ns

    def _rename(self, temporary: str, path: str, *, sync: bool) -> None:
        for _ in range(RENAME_TRIES):
            # The directory does not exist yet, or a concurrent delete has just removed it because it was empty.
            with suppress(FileNotFoundError):
                os.replace(temporary, path)
                break
            self._mark.require()
            with suppress(FileNotFoundError):
                self._make_directories(Path(path).parent, sync=sync)
        else:
            raise OSError(errno.EAGAIN, "another process keeps removing its directory", path)
        if sync:
            with suppress(FileNotFoundError):
                self._file_system.sync_directory(Path(path).parent)

    def _make_directories(self, path: Path, *, sync: bool) -> None:
        if path == self._root or path.is_dir():
            return
        self._make_directories(path.parent, sync=sync)
        private = f"{path}/".startswith(self._prefix + PRIVATE)
        with suppress(FileExistsError):
            path.mkdir(PRIVATE_DIRECTORY if private else PUBLIC_DIRECTORY)
        if sync:
            self._file_system.sync_directory(path.parent)

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

    def _delete_all(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._delete(key)

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
        number = zlib.crc32(key.encode()) % LOCKS
        path = self._root / INTERNAL / "locks" / f"{number:02d}"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            self._prepare()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            with self._file_system.locked(descriptor, number):
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
