"""The API token in the data directory. It is read again when its file changes, so replacing it needs no restart."""

import os
from collections.abc import Callable

import structlog

from control.datadir import DataDir, DataDirError

log = structlog.get_logger("data")

Stamp = tuple[int, int, int]


class TokenFile:
    """``on_replaced`` is called after another token was read. If the file is missing, a new token is created in it.
    If it cannot be read, the last token stays valid."""

    def __init__(self, data: DataDir, *, on_replaced: Callable[[], None] = lambda: None) -> None:
        self._data = data
        self._on_replaced = on_replaced
        self._token = data.api_token()
        self._stamp: Stamp | None = None

    def token(self) -> str:
        stamp = self._read_stamp()
        if stamp is None or stamp != self._stamp:
            self._stamp = stamp
            self._read_again()
        return self._token

    def _read_again(self) -> None:
        try:
            token = self._data.api_token()
        except DataDirError as error:
            log.error("the API token was not read again, the last one stays valid", error=str(error))
            return
        if token != self._token:
            self._token = token
            log.info("the API token in the data directory was replaced")
            self._on_replaced()

    def _read_stamp(self) -> Stamp | None:
        """What changes with the file; None if it is missing."""
        try:
            status = os.stat(self._data.token_file)
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size
