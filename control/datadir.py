"""The data directory: what one machine's Headwater keeps for itself, and where its own commands find it.

    api-token       the bearer token of the REST API, made once
    keys/{stream}   the stream key that the first run made, to be shown again
    server.json     where the running server answers, for the commands; gone when it is not running

Everything in it is the owner's alone (directories 0700, files 0600).
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
    """The data directory cannot be made, read or written; the text says which file and why."""

    code: ClassVar[str] = "data-dir"


class ServerInfo(BaseModel):
    """Where a running server answers programs on its own machine. ``rtmp`` is the Server line, without the key."""

    model_config = ConfigDict(frozen=True)

    http: str
    rtmp: str
    pid: int


class DataDir:
    """Raises DataDirError from every method that touches the file system."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self) -> None:
        """Make the directory where there is none. One that is there keeps its mode."""
        for directory in (self.path, self.path / "keys"):
            try:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise _failure("made", directory, error) from None

    @property
    def token_file(self) -> Path:
        return self.path / "api-token"

    def api_token(self) -> str:
        """The REST API's token, made by the first call on this directory."""
        token = self.known_token()
        if token is None:
            self._write_new(self.token_file, secrets.token_urlsafe(TOKEN_BYTES))
            token = self.known_token()
        if token is None:
            raise DataDirError(f"{self.token_file} is empty; delete it, and a new one is made")
        return token

    def known_token(self) -> str | None:
        return self._read(self.token_file)

    def stream_key(self, stream: str) -> str | None:
        """The key kept for ``stream``; None where it was not made by a first run."""
        return self._read(self._key_file(stream))

    def keep_stream_key(self, stream: str, key: str) -> None:
        self._replace(self._key_file(stream), key)

    def forget_stream_key(self, stream: str) -> None:
        self._remove(self._key_file(stream))

    def key_changed(self, stream: str, key: str | None) -> None:
        """Follow a change of a key that is kept here; None is its end. Where it fails, that is logged."""
        try:
            if self.stream_key(stream) is None:
                return
            if key is None:
                self.forget_stream_key(stream)
            else:
                self.keep_stream_key(stream, key)
        except DataDirError as error:
            log.warning("the kept stream key is out of date", stream=stream, error=str(error))

    def server(self) -> ServerInfo | None:
        """The server last started here and not ended; it may have died since."""
        text = self._read(self.path / "server.json")
        if text is None:
            return None
        try:
            return ServerInfo.model_validate_json(text)
        except ValidationError:
            raise DataDirError(f"{self.path / 'server.json'} is not what a server writes; delete it") from None

    def announce(self, server: ServerInfo) -> None:
        self._replace(self.path / "server.json", json.dumps(server.model_dump()))

    def withdraw(self, pid: int) -> None:
        """Take the announcement back, unless another process has made its own since."""
        server = self.server()
        if server is not None and server.pid == pid:
            self._remove(self.path / "server.json")

    def _key_file(self, stream: str) -> Path:
        if not is_stream_name(stream):
            raise DataDirError(f'"{stream}" is no stream name')
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
        """Whole or not at all, and the first of two writers wins."""
        temporary = self._temporary(file, text)
        try:
            os.link(temporary, file)
        except FileExistsError:
            pass
        except OSError as error:
            raise _failure("written", file, error) from None
        finally:
            temporary.unlink(missing_ok=True)

    def _replace(self, file: Path, text: str) -> None:
        temporary = self._temporary(file, text)
        try:
            temporary.replace(file)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise _failure("written", file, error) from None

    def _temporary(self, file: Path, text: str) -> Path:
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
