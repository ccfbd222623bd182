"""A local directory for media that the store has not taken yet, so that it needs no memory and survives a restart.

Each object is a file; its path is the object's key.
"""

import os
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from pathlib import Path

from storage.interface import ObjectNotFound
from storage.local_files import LocalFiles, make_directory, replace_file
from storage.object_keys import is_key, require_key


class Spool:
    """Every method that touches the disk raises StoreMisconfigured and StoreUnavailable. ``max_bytes`` bounds
    :attr:`used`; callers ask :meth:`has_room` first."""

    def __init__(self, root: Path, *, max_bytes: int) -> None:
        self.root = root
        self.max_bytes = max_bytes
        self._sizes: dict[str, int] = {}
        self._files = LocalFiles(root, "spool", threads=2)
        self.used = 0

    async def open(self) -> None:
        """Find what an earlier process left."""
        self._sizes = await self._files.run("", lambda: dict(self._walk()))
        self.used = sum(self._sizes.values())

    async def close(self) -> None:
        await self._files.close()

    def __contains__(self, key: str) -> bool:
        return key in self._sizes

    def keys(self) -> list[str]:
        return list(self._sizes)

    def has_room(self, size: int) -> bool:
        return self.used + size <= self.max_bytes

    async def put(self, key: str, body: bytes) -> None:
        require_key(key)
        self._forget(key)
        self._sizes[key] = len(body)
        self.used += len(body)
        try:
            await self._files.run(key, lambda: self._write(key, body))
        except BaseException:
            self._forget(key)
            raise

    async def get(self, key: str) -> bytes:
        """Also raises ObjectNotFound."""
        return await self._files.run(key, lambda: self._read(key))

    def delete(self, key: str) -> Awaitable[None]:
        """Its room is free at once, also before the file is deleted. Succeeds if the object does not exist."""
        self._forget(key)
        return self._files.run(key, lambda: self._delete(key))

    def _forget(self, key: str) -> None:
        self.used -= self._sizes.pop(key, 0)

    def _walk(self) -> Iterator[tuple[str, int]]:
        make_directory(self.root)
        for directory, _, names in os.walk(self.root):
            for name in names:
                path = Path(directory, name)
                key = path.relative_to(self.root).as_posix()
                if is_key(key):
                    yield key, path.stat().st_size
                else:
                    # A process that died was writing it.
                    path.unlink()

    def _read(self, key: str) -> bytes:
        try:
            return (self.root / key).read_bytes()
        except FileNotFoundError:
            raise ObjectNotFound(f"{self.root / key} is gone") from None

    def _write(self, key: str, body: bytes) -> None:
        path = self.root / key
        make_directory(path.parent)
        replace_file(path, body)

    def _delete(self, key: str) -> None:
        path = self.root / key
        path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == self.root:
                return
            with suppress(OSError):
                parent.rmdir()
