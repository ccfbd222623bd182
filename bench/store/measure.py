"""One turn of one candidate, which puts a number of objects of one kind."""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import uvloop

from bench.store.candidates import Candidate, Put

# As a broadcast's queue does.
PARALLEL = 4
WARM_UP = 4
MEGABYTE, KILOBYTE = 1_000_000, 1_000


@dataclass(frozen=True, slots=True)
class Kind:
    """``size`` is in bytes."""

    name: str
    size: int
    suffix: str


SEGMENT, PLAYLIST = Kind("segment, 1 MB", MEGABYTE, "m4s"), Kind("playlist, 4 KB", 4 * KILOBYTE, "m3u8")
KINDS = (SEGMENT, PLAYLIST)


@dataclass(frozen=True, slots=True)
class Turn:
    """``cpu`` is this process's CPU seconds for all objects, ``seconds`` the elapsed time, and ``each`` how long
    each put took."""

    objects: int
    cpu: float
    seconds: float
    each: tuple[float, ...]

    def __str__(self) -> str:
        return f"{1000 * self.cpu / self.objects:.3f} ms of CPU"


def measure(candidate: Candidate, kind: Kind, objects: int) -> Turn:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(candidate, kind, objects))


async def _measure(candidate: Candidate, kind: Kind, objects: int) -> Turn:
    body = os.urandom(kind.size)
    warm_up = tuple(f"warm-up/{number}.{kind.suffix}" for number in range(WARM_UP * PARALLEL))
    keys = tuple(f"track/{number}.{kind.suffix}" for number in range(objects))
    async with candidate(warm_up + keys) as put:
        await _put_all(put, warm_up, body)
        began, cpu = time.perf_counter(), time.process_time()
        each = await _put_all(put, keys, body)
        return Turn(objects, time.process_time() - cpu, time.perf_counter() - began, each)


async def _put_all(put: Put, keys: tuple[str, ...], body: bytes) -> tuple[float, ...]:
    left: Iterator[str] = iter(keys)
    each: list[float] = []

    async def put_next() -> None:
        for key in left:
            began = time.perf_counter()
            await put(key, body)
            each.append(time.perf_counter() - began)

    await asyncio.gather(*(put_next() for _ in range(PARALLEL)))
    return tuple(each)
