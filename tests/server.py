"""`headwater serve` as a process of its own, as an operator starts it, and the CLI to talk to it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEADWATER = (sys.executable, "-m", "control.cli")
STOP_SECONDS = 30


@dataclass(slots=True)
class Server:
    """``rtmp`` is the Server line, ``http`` the origin's URL, both with the ports that were free."""

    data: Path
    rtmp: str
    http: str
    process: subprocess.Popen[str]

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
        """Make a stream; the URL to publish to, with its key."""
        made = self.json("create", stream)
        return f"{self.rtmp}/{made['key']}"

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@contextmanager
def serving(
    data: Path, *arguments: str, config: str | None = None, environment: dict[str, str] | None = None
) -> Iterator[Server]:
    """A server on free ports; ended, if it still runs, with the block."""
    data.mkdir(parents=True, exist_ok=True)
    command = [*HEADWATER, "serve", "--json", "--data", str(data), "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    if config is not None:
        (data / "headwater.toml").write_text(config)
        command += ["--config", str(data / "headwater.toml")]
    with (data / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **(environment or {})},
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (data / "server.log").read_text()
        ready = json.loads(line)
        assert ready["event"] == "ready"
        yield Server(data, ready["rtmp"], ready["http"], process)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        process.communicate()
