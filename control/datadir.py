"""The data directory: the local files of one machine's Headwater, for the server and the commands.

    api-token       the first token of the REST API, created once
    keys/{stream}   the stream key that the first run created, to be shown again
    server-id       a random name of this server, which owns the webhook messages that it has to send
    server.json     the addresses of the running server, for the commands; removed when the server ends
    lock            held by the running server, so that no second one uses the directory

Only the owner may read them (directories 0700, files 0600).
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from control.errors import ControlError
from media.names import is_stream_name
from storage.catalogue.api_token_text import new_api_token
from storage.catalogue.api_tokens import FILE_TOKEN
from storage.local_files import replace_file, write_temporary

log = structlog.get_logger("data")

MAX_FILE_BYTES = 64 * 1024


class DataDirError(ControlError):
    """The data directory cannot be created, read or written; the text names the file and the reason."""

    code: ClassVar[str] = "data-dir"


class ServerInfo(BaseModel):
    """A running server's URLs for programs on its own machine. ``rtmp`` is the Server line, without the key."""

    model_config = ConfigDict(frozen=True)

    http: str
    rtmp: str
    pid: int


class DataDir:
    """Raises DataDirError from every method that touches the file system."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self) -> None:
        """Create the directory if it does not exist. An existing one keeps its mode."""
        for directory in (self.path, self.path / "keys"):
            try:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise _failure("created", directory, error) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other servers out while the block runs. Raises DataDirError if one runs already."""
        file = self.path / "lock"
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _failure("written", file, error) from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DataDirError(
                    f"another server runs with the data directory {self.path}: stop it, or choose another "
                    "directory with --data"
                ) from None
            yield
        finally:
            os.close(descriptor)

    def warn_if_open(self) -> None:
        """Log a warning if other users may read the directory."""
        mode = self.path.stat().st_mode & 0o777
        if mode & 0o077:
            log.warning(
                "other users may read the data directory; restrict it with chmod 700",
                directory=str(self.path),
                mode=f"{mode:o}",
            )

    @property
    def token_file(self) -> Path:
        return self.path / "api-token"

    def api_token(self) -> str:
        """The REST API's token, created by the first call on this directory."""
        token = self.stored_token()
        if token is None:
            self._write_new(self.token_file, new_api_token(FILE_TOKEN))
            token = self.stored_token()
        if token is None:
            raise DataDirError(f"{self.token_file} is empty; delete it, and the server creates a new one")
        return token

    def stored_token(self) -> str | None:
        return self._read(self.token_file)

    def replace_token(self) -> str:
        """Replace the REST API's token by a new one, and return it."""
        token = new_api_token(FILE_TOKEN)
        self._replace(self.token_file, token)
        return token

    def server_id(self) -> str:
        """Created by the first call on this directory."""
        file = self.path / "server-id"
        found = self._read(file)
        if found is None:
            found = secrets.token_hex(8)
            self._replace(file, found)
        return found

    def key_file(self, stream: str) -> Path:
        """Where the key of ``stream`` is kept, if it is."""
        if not is_stream_name(stream):
            raise DataDirError(f'"{stream}" is not a stream name')
        return self.path / "keys" / stream

    def stream_key(self, stream: str) -> str | None:
        """The stored key of ``stream``; None unless the first run stored one here."""
        return self._read(self.key_file(stream))

    def keep_stream_key(self, stream: str, key: str) -> None:
        self._replace(self.key_file(stream), key)

    def forget_stream_key(self, stream: str) -> None:
        self._remove(self.key_file(stream))

    def key_changed(self, stream: str, key: str | None) -> None:
        """Update a stored key, or remove it if ``key`` is None. A failure is logged."""
        try:
            if self.stream_key(stream) is None:
                return
            if key is None:
                self.forget_stream_key(stream)
            else:
                self.keep_stream_key(stream, key)
        except DataDirError as error:
            log.warning("the stored stream key is out of date", stream=stream, error=str(error))

    def server(self) -> ServerInfo | None:
        """The server that was started here and has not ended properly; it may have crashed."""
        text = self._read(self.path / "server.json")
        if text is None:
            return None
        try:
            return ServerInfo.model_validate_json(text)
        except ValidationError:
            raise DataDirError(f"{self.path / 'server.json'} is damaged; delete it") from None

    def announce(self, server: ServerInfo) -> None:
        self._replace(self.path / "server.json", json.dumps(server.model_dump()))

    def withdraw(self, pid: int) -> None:
        """Remove the announcement, unless another process has replaced it."""
        server = self.server()
        if server is not None and server.pid == pid:
            self._remove(self.path / "server.json")

    def _read(self, file: Path) -> str | None:
        try:
            with file.open("rb") as stream:
                return stream.read(MAX_FILE_BYTES).decode("utf-8", "replace").strip() or None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _failure("read", file, error) from None

    def _write_new(self, file: Path, text: str) -> None:
        """Write the file atomically, unless it exists."""
        try:
            temporary = write_temporary(file, f"{text}\n".encode(), sync=True)
            try:
                os.link(temporary, file)
            finally:
                temporary.unlink(missing_ok=True)
        except FileExistsError:
            pass
        except OSError as error:
            raise _failure("written", file, error) from None

    def _replace(self, file: Path, text: str) -> None:
        try:
            replace_file(file, f"{text}\n".encode(), sync=True)
        except OSError as error:
            raise _failure("written", file, error) from None

    def _remove(self, file: Path) -> None:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise _failure("removed", file, error) from None


def _failure(verb: str, path: Path, error: OSError) -> DataDirError:
    return DataDirError(f"{path} cannot be {verb}: {(error.strerror or str(error)).lower()}")
