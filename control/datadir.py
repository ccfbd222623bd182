"""The data directory: the local files of one machine's Headwater, for the server and the commands.

    api-token       the bearer token of the REST API, created once
    keys/{stream}   the stream key that the first run created, to be shown again
    server.json     the addresses of the running server, for the commands; removed when the server ends

Only the owner may read them (directories 0700, files 0600).
"""

import json
import os
import secrets
from pathlib import Path
from typing import ClassVar

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from control.errors import ControlError
from media.names import is_stream_name

log = structlog.get_logger("data")

TOKEN_BYTES = 32
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

    @property
    def token_file(self) -> Path:
        return self.path / "api-token"

    def api_token(self) -> str:
        """The REST API's token, created by the first call on this directory."""
        token = self.stored_token()
        if token is None:
            self._write_new(self.token_file, secrets.token_urlsafe(TOKEN_BYTES))
            token = self.stored_token()
        if token is None:
            raise DataDirError(f"{self.token_file} is empty; delete it, and the server creates a new one")
        return token

    def stored_token(self) -> str | None:
        return self._read(self.token_file)

    def stream_key(self, stream: str) -> str | None:
        """The stored key of ``stream``; None unless the first run stored one here."""
        return self._read(self._key_file(stream))

    def keep_stream_key(self, stream: str, key: str) -> None:
        self._replace(self._key_file(stream), key)

    def forget_stream_key(self, stream: str) -> None:
        self._remove(self._key_file(stream))

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

    def _key_file(self, stream: str) -> Path:
        if not is_stream_name(stream):
            raise DataDirError(f'"{stream}" is not a stream name')
        return self.path / "keys" / stream

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
        temporary = self._write_temporary(file, text)
        try:
            os.link(temporary, file)
        except FileExistsError:
            pass
        except OSError as error:
            raise _failure("written", file, error) from None
        finally:
            temporary.unlink(missing_ok=True)

    def _replace(self, file: Path, text: str) -> None:
        temporary = self._write_temporary(file, text)
        try:
            temporary.replace(file)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise _failure("written", file, error) from None

    def _write_temporary(self, file: Path, text: str) -> Path:
        temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise _failure("written", file, error) from None
        return temporary

    def _remove(self, file: Path) -> None:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise _failure("removed", file, error) from None


def _failure(verb: str, path: Path, error: OSError) -> DataDirError:
    return DataDirError(f"{path} cannot be {verb}: {(error.strerror or str(error)).lower()}")
