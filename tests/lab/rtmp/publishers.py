"""Many broadcasters of one clip in one process that uses little CPU: no ffmpeg, but one write for each message, as
OBS and ffmpeg do.

Streams start spread over ``spread_s``, so that neither their frames nor their keyframes coincide.
"""

import gc
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

from tests.lab.errors import LabError
from tests.lab.rtmp.client import publish
from tests.lab.rtmp.loop import CHUNK_SIZE, Loop, read_loop
from tests.lab.worker import Worker, working

START_S = 120.0
FINISH_S = 30.0
# The shortest sleep: messages that fall due within it are sent together.
REST_S = 0.001
QUESTION_EVERY_S = 0.1
# The server's messages are read and discarded once per this many messages.
DRAIN_EVERY = 64
DRAIN_SIZE = 64 * 1024
MAX_WAITING = 4 * 1024 * 1024


@dataclass(slots=True)
class Sent:
    """What was sent. ``frames`` has, for each watched stream, the times by the given clock at which the socket
    accepted each frame's last byte; ``late_ms`` counts the messages by their lateness in milliseconds; ``blocked``
    counts the writes that the socket accepted only in part; ``lost`` maps each publisher that was cut off to the
    reason."""

    frames: dict[int, "array[float]"] = field(default_factory=dict)
    late_ms: Counter[int] = field(default_factory=Counter)
    bytes: int = 0
    blocked: int = 0
    lost: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Publishers:
    """Publishers in a separate process."""

    _worker: Worker

    def finish(self) -> Sent:
        """End the broadcasts. Raises LabError."""
        sent: Sent = self._worker.finish(FINISH_S)
        return sent


@contextmanager
def publishing(
    clip: Path,
    urls: Sequence[str],
    *,
    watch: Collection[int] = (),
    spread_s: float = 2.0,
    chunk_size: int = CHUNK_SIZE,
    clock: Callable[[], float] = time.time,
) -> Iterator[Publishers]:
    """Publish ``clip`` to each of ``urls``, in chunks of ``chunk_size`` bytes, until the block ends; all are
    connected when the block begins.

    For the indexes ``watch`` of ``urls``, the times of the frames are recorded by ``clock``. Raises LabError.
    """
    with working("publishers", _run, clip, tuple(urls), tuple(watch), spread_s, chunk_size, clock) as worker:
        worker.receive(START_S)
        yield Publishers(worker)


def _run(
    clip: Path,
    urls: Sequence[str],
    watch: Collection[int],
    spread_s: float,
    chunk_size: int,
    clock: Callable[[], float],
    pipe: "Connection[Sent | LabError, str]",
) -> None:
    """The main function of the process."""
    gc.disable()
    try:
        loop = read_loop(clip, chunk_size)
        connections = [publish(url, chunk_size) for url in urls]
    except LabError as error:
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


def _pace(streams: "list[Paced]", pipe: "Connection[Sent | LabError, str]") -> None:
    """Send messages until ``pipe`` becomes readable."""
    queue = [(stream.due, stream.place) for stream in streams]
    heapify(queue)
    question = 0.0
    while True:
        now = time.monotonic()
        if now >= question:
            if pipe.poll():
                return
            question = now + QUESTION_EVERY_S
        while queue[0][0] <= now:
            stream = streams[queue[0][1]]
            stream.send(now)
            heapreplace(queue, (stream.due, stream.place))
        time.sleep(min(QUESTION_EVERY_S, max(REST_S, queue[0][0] - time.monotonic())))


class Paced:
    """One broadcast. ``due`` is the time of its next message, infinite once the server has cut it off."""

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
        self._number = 0
        self._sent = sent
        self._clock = clock
        self._moments = sent.frames.get(place)
        # Bytes that the socket has not accepted yet.
        self._rest = memoryview(loop.opening())
        connection.setblocking(False)

    def send(self, now: float) -> None:
        """Send the message that is due, after what remains of earlier ones."""
        sent, number = self._sent, self._number
        sent.late_ms[int((now - self.due) * 1000)] += 1
        data = memoryview(self._loop.at(number))
        try:
            if self._rest:
                data = memoryview(bytes(self._rest) + data)
            taken = self._send(data)
            self._rest = data[taken:]
            if len(self._rest) > MAX_WAITING:
                raise OSError("the server takes no more data")
            if number % DRAIN_EVERY == 0:
                self._drain()
        except OSError as error:
            sent.lost[self.place] = str(error)
            self.due = float("inf")
            return
        sent.bytes += taken
        sent.blocked += taken < len(data)
        if self._moments is not None and self._loop.is_picture(number):
            self._moments.append(self._clock())
        self._number = number + 1
        self.due = self._start + self._loop.due(number + 1)

    def _send(self, data: memoryview) -> int:
        try:
            return self._connection.send(data)
        except BlockingIOError:
            return 0

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            if not self._connection.recv(DRAIN_SIZE):
                raise OSError("the server closed the connection")
