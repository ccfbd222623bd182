"""The journals of broadcasts: one local file each, which grows by lines.

A journal is deleted when the end of its broadcast is in the store.
"""

import os
from pathlib import Path
from typing import NamedTuple

from media.names import BROADCAST_ID, is_stream_name
from storage.local_files import FILE_MODE, LocalFiles, make_directory, replace_file

SUFFIX = ".journal"
DAMAGED = ".damaged"


class JournalName(NamedTuple):
    stream: str
    broadcast: str


class Journals:
    """``{root}/{stream}/{broadcast}.journal``. Every method that touches the disk raises StoreMisconfigured and
    StoreUnavailable."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # One thread, so that the lines of a journal are written in order.
        self._files = LocalFiles(root, "journal", threads=1)

    async def names(self) -> list[JournalName]:
        """The journals that an earlier process left, in the order of their broadcasts."""
        names = await self._files.run("", self._names)
        return sorted(names, key=lambda name: name.broadcast)

    def of(self, stream: str, broadcast: str) -> "JournalFile":
        return JournalFile(self._files, self.root / stream / f"{broadcast}{SUFFIX}")

    async def close(self) -> None:
        await self._files.close()

    def _names(self) -> list[JournalName]:
        make_directory(self.root)
        found = (JournalName(path.parent.name, path.stem) for path in self.root.glob(f"*/*{SUFFIX}"))
        return [name for name in found if is_stream_name(name.stream) and BROADCAST_ID.fullmatch(name.broadcast)]


class JournalFile:
    """The journal of one broadcast."""

    def __init__(self, files: LocalFiles, path: Path) -> None:
        self._files = files
        self.path = path

    async def read(self) -> bytes:
        return await self._files.run(self.path, self.path.read_bytes)

    async def begin(self, line: bytes) -> None:
        """Replace the journal by its first line."""
        await self._files.run(self.path, lambda: self._begin(line))

    async def append(self, line: bytes) -> None:
        await self._files.run(self.path, lambda: self._append(line))

    async def delete(self) -> None:
        await self._files.run(self.path, self._delete)

    async def put_aside(self) -> Path:
        """Keep a damaged journal for people, under the name that is returned."""
        aside = self.path.with_suffix(DAMAGED)
        await self._files.run(self.path, lambda: self.path.replace(aside))
        return aside

    def _begin(self, line: bytes) -> None:
        make_directory(self.path.parent)
        replace_file(self.path, line)

    def _append(self, line: bytes) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(line)

    def _delete(self) -> None:
        self.path.unlink(missing_ok=True)
        try:
            self.path.parent.rmdir()
        except OSError:
            # The stream has other journals.
            return
