"""A server that was started to be attacked, with a broadcast and its viewer beside the attack."""

import asyncio
import json
import os
import re
import resource
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urljoin, urlsplit

from tests.attack.attacks.catalogue import ATTACKS
from tests.attack.bystander import Seen, watch
from tests.attack.target import Address, Target
from tests.lab import processes
from tests.lab.errors import LabError
from tests.lab.front import nginx_front
from tests.lab.ports import HOST
from tests.lab.rtmp.publishers import publishing
from tests.lab.server import Server, serving
from tests.lab.worker import working
from tests.torture import footage
from tests.torture.good import judge

CONFIG = """
[transcoder]
ladder = "source"
[rtmp]
reconnect_window = "2s"
"""
GOOD, EVIL = "good", "evil"
SAMPLE_S = 0.1
START_S = 30.0
STOP_S = 30.0
SETTLE_S = 1.0
MAX_GROWTH = 64 << 20
MANY_FILES = 20_000
FILES_OF_SERVER = 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """Memory in bytes: how much the server and its children grew at most. Times in seconds."""

    name: str
    grown: int
    health_p99: float
    health_slowest: float
    parts: int
    failures: tuple[str, ...]


class Stage:
    """Runs attacks one after the other, beside one broadcast. ``viewers`` is the address for viewers."""

    def __init__(self, server: Server, viewers: Address, evil: str) -> None:
        self._server = server
        self._viewers = viewers
        self._evil = evil
        self._log_size = 0

    def run(self, name: str, seconds: float) -> Outcome:
        """Raises LabError."""
        paths = _viewer_paths(self._server.http)
        target = Target(self._viewers, _address(self._server.rtmp), paths, self._evil.rpartition("/")[2])
        with (
            working("the viewer", watch, self._viewers, paths[0]) as viewer,
            _peak_memory(self._server.pid) as memory,
        ):
            viewer.receive(START_S)
            time.sleep(SETTLE_S)
            memory.start()
            with working("the attacker", _attack, name, target, seconds) as attacker:
                attacker.receive(START_S + 2 * seconds)
            # What the attack left behind must not hurt either.
            time.sleep(SETTLE_S)
            seen: Seen = viewer.finish(STOP_S)
        failures = [*seen.failures, *self._errors()]
        if not seen.parts:
            failures.append("the viewer got no part")
        return Outcome(
            name, memory.grown, seen.quantile(0.99), max(seen.health_s), seen.parts, tuple(dict.fromkeys(failures))
        )

    def _errors(self) -> Iterator[str]:
        if self._server.process.poll() is not None:
            yield f"the server ended with code {self._server.process.returncode}"
        with (self._server.data / "server.log").open(errors="replace") as log:
            log.seek(self._log_size)
            text, self._log_size = log.read(), log.tell()
        if (at := text.find("Traceback")) >= 0:
            yield f"the server logged {text[at : at + 1500]}"


@contextmanager
def prepared(folder: Path, lost: list[str], *, cached: bool = False) -> Iterator[Stage]:
    """``lost`` gets what the recording of the good stream lacks, in words, after the block. ``cached``: viewers are
    in front of the caches of docker/. Raises LabError."""
    with ExitStack() as stack:
        stack.enter_context(_many_files())
        server = stack.enter_context(serving(folder / "data", config=CONFIG, open_files=FILES_OF_SERVER))
        viewers = _address(server.http)
        if cached:
            front = stack.enter_context(nginx_front(folder, server.address))
            viewers = (HOST, front.port)
        good, evil = server.create(GOOD), server.create(EVIL)
        clip = footage.make(footage.PLAIN, folder)
        with publishing(clip, [good], watch=[0]) as publishers:
            yield Stage(server, viewers, evil)
            sent = publishers.finish()
        _wait_until_recorded(server)
        lost += judge(server.data / "store" / "live" / GOOD, sent)


@contextmanager
def _many_files() -> Iterator[None]:
    """The attacker's connections need more files than processes have by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, MANY_FILES), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _wait_until_recorded(server: Server) -> None:
    records = server.data / "store" / "catalogue" / "broadcasts" / GOOD
    deadline = time.monotonic() + STOP_S
    while not all(json.loads(record.read_text())["ended_at"] for record in records.glob("*.json")):
        if time.monotonic() > deadline:
            raise LabError("the good stream did not end")
        time.sleep(0.1)


class PeakMemory:
    """``grown`` is the largest growth since :meth:`start`, in bytes."""

    def __init__(self, read: Callable[[], int]) -> None:
        self._read = read
        self._base: int | None = None
        self.grown = 0

    def start(self) -> None:
        self._base = self._read()

    def sample(self) -> None:
        if self._base is not None:
            self.grown = max(self.grown, self._read() - self._base)


@contextmanager
def _peak_memory(pid: int) -> Iterator[PeakMemory]:
    memory = PeakMemory(lambda: processes.memory(processes.tree(pid)).pss)
    stopped = Event()

    def sample() -> None:
        while not stopped.wait(SAMPLE_S):
            memory.sample()

    thread = Thread(target=sample)
    thread.start()
    try:
        yield memory
    finally:
        stopped.set()
        thread.join()


def _attack(name: str, target: Target, seconds: float, pipe: "Connection[str, str]") -> None:
    """The main function of the attacker's process. It yields to the server, as a network would let it."""
    os.nice(5)
    asyncio.run(ATTACKS[name](target, seconds))
    pipe.send("done")


def _viewer_paths(base: str) -> tuple[str, ...]:
    """The paths of a media playlist and its segments, once there are some."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with suppress(OSError):
            master = f"{base}/live/{GOOD}/master.m3u8"
            uris = [line for line in _text(master).splitlines() if line and line[0] != "#"]
            playlist = urljoin(master, uris[0])
            segments = re.findall(r"^\d+\.m4s$", _text(playlist), re.MULTILINE)
            if len(segments) >= 2:
                found = [playlist, *(urljoin(playlist, segment) for segment in segments)]
                return tuple(urlsplit(url).path for url in found)
        time.sleep(0.2)
    raise LabError("the good stream is not on air")


def _text(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def _address(url: str) -> Address:
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    return parts.hostname, parts.port
