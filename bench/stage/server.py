"""`headwater serve` as a process of its own on free ports, with its streams made."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.stage.errors import BenchError

HEADWATER = (sys.executable, "-m", "control.cli")
STOP_S = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """``origin`` is its URL, ``rtmp`` its Server line, ``keys`` are the streams' by their names."""

    pid: int
    origin: str
    rtmp: str
    keys: Mapping[str, str]

    def publish(self, stream: str) -> str:
        """Where a broadcaster sends to."""
        return f"{self.rtmp}/{self.keys[stream]}"


@contextmanager
def serving(data: Path, environment: Mapping[str, str], streams: Sequence[str] = ()) -> Iterator[Server]:
    """A server with all it keeps in ``data``, configured by ``environment``, ended with the block.

    Raises BenchError.
    """
    data.mkdir(parents=True, exist_ok=True)
    settings = {**os.environ, "HEADWATER_DATA": str(data), **environment}
    # As for an operator: where bytecode is not kept, every start compiles it anew.
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [*HEADWATER, "serve", "--json", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    log = data / "server.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True, env=settings
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise BenchError(f"the server did not start: {log.read_text()}")
        ready = json.loads(line)
        token = (data / "api-token").read_text().strip()
        keys = {stream: _create(ready["http"], token, stream) for stream in streams}
        yield Server(process.pid, ready["http"], ready["rtmp"], keys)
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()


def _create(origin: str, token: str, stream: str) -> str:
    """The new stream's key."""
    request = urllib.request.Request(
        f"{origin}/api/v1/streams",
        data=json.dumps({"stream": stream}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            key: str = json.load(response)["key"]
    except urllib.error.HTTPError as error:
        raise BenchError(f"the stream {stream} could not be made: {error.read().decode()}") from error
    return key
