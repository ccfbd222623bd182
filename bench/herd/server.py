"""`headwater serve` as a process of its own on free ports, with one stream on air."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from bench.herd.errors import HerdError
from bench.herd.playlist import PlaylistError, parse_media, parse_multivariant

HEADWATER = (sys.executable, "-m", "control.cli")
STREAM = "herd"
MASTER = f"/live/{STREAM}/master.m3u8"
STOP_S = 30.0
ON_AIR_S = 40.0


@dataclass(frozen=True, slots=True)
class Server:
    """``origin`` is its URL, ``publish`` where the broadcaster sends to."""

    pid: int
    origin: str
    publish: str


@contextmanager
def serving(data: Path, environment: dict[str, str]) -> Iterator[Server]:
    """A server with the stream made, ended with the block. Raises HerdError."""
    settings = {**os.environ, "HEADWATER_DATA": str(data), **environment}
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
            raise HerdError(f"the server did not start: {log.read_text()}")
        ready = json.loads(line)
        made = subprocess.run(
            [*HEADWATER, "create", STREAM, "--json"], env=settings, capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            raise HerdError(f"the stream could not be made: {made.stderr}")
        yield Server(process.pid, ready["http"], f"{ready['rtmp']}/{json.loads(made.stdout)['key']}")
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()


def wait_on_air(origin: str) -> int:
    """How many video renditions there are, once each playlist of the stream names parts. Raises HerdError."""
    deadline = time.monotonic() + ON_AIR_S
    trouble = ""
    while time.monotonic() < deadline:
        try:
            master = parse_multivariant(_text(origin, MASTER), MASTER)
            paths = (*master.video, *([master.audio] if master.audio else []))
            if all(parse_media(_text(origin, path), path).parts for path in paths):
                return len(master.video)
            trouble = "its playlists name no parts: is low latency on?"
        except (OSError, PlaylistError) as error:
            trouble = str(error)
        time.sleep(0.5)
    raise HerdError(f"nothing to watch after {ON_AIR_S:.0f} s: {trouble}")


def _text(origin: str, path: str) -> str:
    with urllib.request.urlopen(urljoin(origin, path), timeout=10) as response:
        body: bytes = response.read()
    return body.decode()
