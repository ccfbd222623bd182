"""Whether the directory at a store's path is still the store, and not the empty place of an unmounted disk."""

import os
from contextlib import suppress
from pathlib import Path

from storage.identity import KEY
from storage.interface import StoreUnavailable


class DirectoryMark:
    """The identity and the device of the directory ``root``, once it is set up.

    A directory with the identity is the store. One without it, or with another one, is the store made again if it
    is on the same device: then no disk was unmounted.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._identity: str | None = None
        self._device: int | None = None

    @property
    def is_set_up(self) -> bool:
        return self._device is not None

    def set(self, identity: str) -> None:
        self._identity = identity

    def accept(self) -> None:
        """Make the directory, the first time, or accept the one that is there. Raises StoreUnavailable, OSError."""
        if not self.is_set_up:
            with suppress(FileExistsError):
                self._root.mkdir(parents=True)
        device, found = os.stat(self._root).st_dev, self._is_found()
        if not found and self._device not in (None, device):
            raise self._gone()
        if not found:
            self._identity = None
        self._device = device

    def require(self) -> None:
        """Raises StoreUnavailable if the directory is not the one that was set up."""
        if self._identity is not None and not self._is_found():
            raise self._gone()

    def _is_found(self) -> bool:
        try:
            mark = (self._root / KEY).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return self._identity is not None and self._identity.encode() in mark

    def _gone(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"{self._root} is not the directory that it was ({KEY} is missing or another one), so nothing is "
            "written into it: is its disk mounted?"
        )
