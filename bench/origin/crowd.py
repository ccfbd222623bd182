"""Our own client, in a separate process: its connections request one path repeatedly, or each reload a playlist as
a low-latency viewer does and wait for the next part."""

import asyncio
import gc
import multiprocessing
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

import uvloop

from bench.origin.burst import Burst
from bench.runner.distribution import distribution
from tests.lab.viewers.follower import Follower
from tests.lab.viewers.lane import HttpLane, Lane, LaneError
from tests.lab.viewers.playlist import MICROSECONDS, MediaReader, PlaylistError

OK = 200
PAUSE_AFTER_ERROR_S = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    host: str
    port: int
    path: str
    connections: int
    seconds: float


@dataclass(slots=True)
class Tally:
    """``times`` are seconds from a request to the end of its answer; ``received`` is the bytes of all answers."""

    times: list[float] = field(default_factory=list)
    received: int = 0
    failed: int = 0

    async def get(self, lane: Lane, path: str, *, keep: bool = False) -> bytes | None:
        """The body, empty without ``keep``; None without an answer or for an error response."""
        started = monotonic()
        try:
            answer = await lane.get(path, keep=keep)
        except LaneError:
            self.failed += 1
            return None
        self.times.append(monotonic() - started)
        self.received += answer.size
        if answer.status == OK:
            return answer.body
        self.failed += 1
        return None


Asking = Callable[[Tally, Lane, str], Coroutine[object, object, None]]


async def request_repeatedly(tally: Tally, lane: Lane, path: str) -> None:
    while True:
        if await tally.get(lane, path) is None:
            await asyncio.sleep(PAUSE_AFTER_ERROR_S)


async def blocking_reloads(tally: Tally, lane: Lane, path: str) -> None:
    follower, reader = Follower(path), MediaReader()
    while True:
        reload = follower.reload_path(round(monotonic() * MICROSECONDS))
        body = await tally.get(lane, reload, keep=True)
        try:
            if body is None:
                await asyncio.sleep(PAUSE_AFTER_ERROR_S)
            else:
                follower.take(reader.read(body, reload), round(monotonic() * MICROSECONDS))
        except PlaylistError:
            tally.failed += 1


@contextmanager
def crowd() -> Iterator[Callable[[Asking, Plan], Burst]]:
    """A function that makes bursts in one process, which runs until the block ends."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        # The start of the process is not part of the first burst.
        pool.submit(gc.disable).result()
        yield lambda asking, plan: pool.submit(run, asking, plan).result()


def run(asking: Asking, plan: Plan) -> Burst:
    """The answers within the plan's time; requests that still wait at its end are abandoned."""
    tally = Tally()
    began = monotonic()
    uvloop.run(_until_deadline(asking, plan, tally))
    seconds = monotonic() - began
    waits = asking is blocking_reloads
    found = distribution(tally.times)
    return Burst(
        requests=len(tally.times),
        received=tally.received,
        seconds=seconds,
        failed=tally.failed,
        p50_ms=None if waits else found.p50,
        p99_ms=None if waits else found.p99,
    )


async def _until_deadline(asking: Asking, plan: Plan, tally: Tally) -> None:
    lanes = [HttpLane(plan.host, plan.port) for _ in range(plan.connections)]
    tasks = [asyncio.create_task(asking(tally, lane, plan.path)) for lane in lanes]
    done, _ = await asyncio.wait(tasks, timeout=plan.seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for lane in lanes:
        lane.close()
    for task in done:
        task.result()
