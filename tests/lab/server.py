"""`headwater serve` in its own process, as an operator starts it, with access to its CLI and API."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.lab.errors import LabError

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

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "HEADWATER_DATA": str(self.data)}
        return subprocess.run(
            [*HEADWATER, *arguments], env=environment, capture_output=True, text=True, timeout=30, check=False
        )

    def json(self, *arguments: str) -> Any:
        result = self.cli(*arguments, "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def create(self, stream: str) -> str:
        """Create a stream through the API; returns the URL to publish to, with its key. Raises LabError."""
        token = (self.data / "api-token").read_text().strip()
        request = urllib.request.Request(
            f"{self.http}/api/v1/streams",
            data=json.dumps({"stream": stream}).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S) as response:
                return f"{self.rtmp}/{json.load(response)['key']}"
        except urllib.error.HTTPError as error:
            raise LabError(f"the stream {stream} could not be created: {error.read().decode()}") from error

    def stop(self) -> int:
        """Send SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)


@contextmanager
def serving(
    data: Path, *arguments: str, config: str | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server on free ports with all its files in ``data``; stopped when the block ends.

    Raises LabError.
    """
    data.mkdir(parents=True, exist_ok=True)
    command = [*HEADWATER, "serve", "--json", "--data", str(data), "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    if config is not None:
        (data / "headwater.toml").write_text(config)
        command += ["--config", str(data / "headwater.toml")]
    settings = {**os.environ, **(environment or {})}
    # As for an operator, bytecode is kept; otherwise every start would compile all modules again.
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    log = data / "server.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=settings,
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
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
        process.communicate()
