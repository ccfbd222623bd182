"""`headwater serve` in its own process, as an operator starts it, with access to its CLI and API."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.lab.errors import LabError
from tests.lab.stopping import stop

HEADWATER = (sys.executable, "-m", "control.cli")
STOP_S = 30
REQUEST_TIMEOUT_S = 10


@dataclass(slots=True)
class Server:
    """``rtmp`` is the Server line, ``http`` the origin's URL; both have the ports chosen for this server."""

    data: Path
    rtmp: str
    http: str
    process: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def address(self) -> str:
        """Host and port of the origin."""
        return urlsplit(self.http).netloc

    @property
    def http_port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "HEADWATER_DATA": str(self.data)}
        return subprocess.run(
            [*HEADWATER, *arguments], env=environment, capture_output=True, text=True, timeout=30, check=False
        )

    def json(self, *arguments: str) -> Any:
        result = self.cli(*arguments, "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def create(self, stream: str, **settings: object) -> str:
        """Create a stream with ``settings`` through the API; returns the URL to publish to, with its key.
        Raises LabError."""
        request = self._api_request("", json.dumps({"stream": stream, **settings}).encode())
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S) as response:
                return f"{self.rtmp}/{json.load(response)['key']}"
        except urllib.error.HTTPError as error:
            raise LabError(f"the stream {stream} could not be created: {error.read().decode()}") from error

    def delete(self, stream: str) -> None:
        """Delete a stream through the API."""
        urllib.request.urlopen(self._api_request(f"/{stream}", method="DELETE"), timeout=REQUEST_TIMEOUT_S).close()

    def _api_request(
        self, path: str, data: bytes | None = None, *, method: str | None = None
    ) -> urllib.request.Request:
        token = (self.data / "api-token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return urllib.request.Request(
            f"{self.http}/api/v1/streams{path}", data=data, headers=headers, method=method
        )

    def stop(self) -> int:
        """Send SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)


@contextmanager
def serving(
    data: Path,
    *arguments: str,
    config: str | None = None,
    environment: Mapping[str, str] | None = None,
    open_files: int | None = None,
    under: Sequence[str] = (),
    redirection: str = "",
    inherited: Sequence[int] = (),
    rtmp: str = "127.0.0.1:0",
) -> Iterator[Server]:
    """A server on free ports with all its files in ``data``; stopped when the block ends.

    ``rtmp`` is the address for publishers. ``open_files`` is the limit of its file descriptors; ``under`` is a
    command that starts it; ``redirection`` is the shell's of its standard streams, in which the descriptors
    ``inherited`` may be used. Raises LabError.
    """
    data.mkdir(parents=True, exist_ok=True)
    command = [*HEADWATER, "serve", "--json", "--data", str(data), "--rtmp", rtmp, "--http", "127.0.0.1:0"]
    if config is not None:
        (data / "headwater.toml").write_text(config)
        command += ["--config", str(data / "headwater.toml")]
    limit = f"ulimit -n {open_files} && " if open_files is not None else ""
    if limit or redirection:
        command = ["sh", "-c", f'{limit}exec "$@" {redirection}', "sh", *command]
    settings = {**os.environ, **(environment or {})}
    # As for an operator, bytecode is kept; otherwise every start would compile all modules again.
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    log = data / "server.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*under, *command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=settings,
            pass_fds=inherited,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise LabError(f"the server did not start: {log.read_text()}")
        ready = json.loads(line)
        assert ready["event"] == "ready"
        yield Server(data, ready["rtmp"], ready["http"], process)
    finally:
        if process.poll() is None:
            stop(process, STOP_S)
        process.communicate()
