"""Many broadcasters of one clip in one cheap process: no ffmpeg, one write for each frame time of each stream.

Streams begin spread over ``spread_s``, so that neither their frames nor their keyframes come all at once.
"""

import gc
import multiprocessing
import socket
import time
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from heapq import heapify, heapreplace
from multiprocessing.connection import Connection
from pathlib import Path

from bench.stage.errors import BenchError
from bench.stage.loop import Loop, read_loop
from bench.stage.rtmp_client import publish

START_S = 120.0
FINISH_S = 30.0
# The shortest sleep: frames that come due within it are sent together.
REST_S = 0.001
QUESTION_EVERY_S = 0.1
# Answers of the server are thrown away this often.
DRAIN_EVERY = 30
DRAIN_SIZE = 64 * 1024
MAX_WAITING = 4 * 1024 * 1024


@dataclass(slots=True)
class Sent:
    """What was sent. ``frames`` are, for each stream that was watched, the moments (by the clock asked for) at
    which the system had taken each frame's last byte; ``late_ms`` is how many frames were sent how many
    milliseconds after their time, ``blocked`` how often a server took less than it was given, and ``lost`` who was
    cut off, and why."""

    frames: dict[int, "array[float]"] = field(default_factory=dict)
    late_ms: Counter[int] = field(default_factory=Counter)
    bytes: int = 0
    blocked: int = 0
    lost: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Publishers:
    """``pid`` is of their process."""

    pid: int
    _pipe: "Connection[str, Sent]"

    def finish(self) -> Sent:
        """End the broadcasts. Raises BenchError."""
        with suppress(BrokenPipeError):
            self._pipe.send("finish")
        return _receive(self._pipe, FINISH_S, "the publishers ended by themselves")


@contextmanager
def publishing(
    clip: Path,
    urls: Sequence[str],
    *,
    watch: Collection[int] = (),
    spread_s: float = 2.0,
    clock: Callable[[], float] = time.time,
) -> Iterator[Publishers]:
    """``clip`` published to each of ``urls`` until the block ends; all are connected when it begins.

    ``watch`` are the places in ``urls`` whose frames' times are wanted, by ``clock``. Raises BenchError.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_run, args=(clip, tuple(urls), tuple(watch), spread_s, clock, theirs), daemon=True
    )
    process.start()
    theirs.close()
    try:
        _receive(ours, START_S, "the publishers did not begin")
        yield Publishers(process.pid or 0, ours)
    finally:
        ours.close()
        process.terminate()
        process.join()


def _receive(pipe: "Connection[str, Sent]", within_s: float, trouble: str) -> Sent:
    try:
        answer = pipe.recv() if pipe.poll(within_s) else None
    except (EOFError, ConnectionResetError):
        answer = None
    if isinstance(answer, BenchError):
        raise answer
    if answer is None:
        raise BenchError(trouble)
    return answer


def _run(
    clip: Path,
    urls: Sequence[str],
    watch: Collection[int],
    spread_s: float,
    clock: Callable[[], float],
    pipe: "Connection[Sent | BenchError, str]",
) -> None:
    """The process's whole life."""
    gc.disable()
    try:
        loop = read_loop(clip)
        connections = [publish(url) for url in urls]
    except BenchError as error:
        pipe.send(error)
        return
    sent = Sent(frames={place: array("d") for place in watch})
    pipe.send(sent)
    start = time.monotonic() + QUESTION_EVERY_S
    streams = [
        Paced(place, connection, loop, start + spread_s * place / len(urls), sent, clock)
        for place, connection in enumerate(connections)
    ]
    with suppress(EOFError):
        _pace(streams, pipe)
        pipe.send(sent)
    for connection in connections:
        connection.close()


def _pace(streams: "list[Paced]", pipe: "Connection[Sent | BenchError, str]") -> None:
    """Until somebody says something."""
    agenda = [(stream.due, stream.place) for stream in streams]
    heapify(agenda)
    question = 0.0
    while True:
        now = time.monotonic()
        if now >= question:
            if pipe.poll():
                return
            question = now + QUESTION_EVERY_S
        while agenda[0][0] <= now:
            stream = streams[agenda[0][1]]
            stream.send(now)
            heapreplace(agenda, (stream.due, stream.place))
        time.sleep(min(QUESTION_EVERY_S, max(REST_S, agenda[0][0] - time.monotonic())))


class Paced:
    """One broadcast. ``due`` is when its next frame is; it is never for one that was cut off."""

    def __init__(
        self,
        place: int,
        connection: socket.socket,
        loop: Loop,
        start: float,
        sent: Sent,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.place = place
        self.due = start
        self._connection = connection
        self._loop = loop
        self._start = start
        self._tick = 0
        self._sent = sent
        self._clock = clock
        self._moments = sent.frames.get(place)
        # What the socket has not taken yet.
        self._rest = memoryview(loop.opening())
        connection.setblocking(False)

    def send(self, now: float) -> None:
        """The frame that is due, behind what is left of those before."""
        sent, tick = self._sent, self._tick
        sent.late_ms[int((now - self.due) * 1000)] += 1
        data = memoryview(self._loop.at(tick))
        try:
            if self._rest:
                data = memoryview(bytes(self._rest) + data)
            taken = self._send(data)
            self._rest = data[taken:]
            if len(self._rest) > MAX_WAITING:
                raise OSError("the server takes nothing any more")
            if tick % DRAIN_EVERY == 0:
                self._drain()
        except OSError as error:
            sent.lost[self.place] = str(error)
            self.due = float("inf")
            return
        sent.bytes += taken
        sent.blocked += taken < len(data)
        if self._moments is not None:
            self._moments.append(self._clock())
        self._tick = tick + 1
        self.due = self._start + self._loop.due(tick + 1)

    def _send(self, data: memoryview) -> int:
        try:
            return self._connection.send(data)
        except BlockingIOError:
            return 0

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            if not self._connection.recv(DRAIN_SIZE):
                raise OSError("the server closed the connection")
