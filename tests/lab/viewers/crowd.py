"""One process of viewers, who arrive one after another during the ramp and all leave at the end."""

import asyncio
import gc
from collections.abc import Coroutine
from dataclasses import dataclass
from multiprocessing.connection import Connection
from random import Random
from time import monotonic

import uvloop

from tests.lab.viewers.record import Record
from tests.lab.viewers.rendition import Rendition, World, http_world, load_master, watch_lag
from tests.lab.viewers.viewer import Habits, Viewer


@dataclass(frozen=True, slots=True)
class Plan:
    """``numbers`` are this process's share of all ``viewers``. Times are of the monotonic clock; the ramp ends at
    ``steady``."""

    host: str
    port: int
    master: str
    numbers: tuple[int, ...]
    viewers: int
    switches: float
    start: float
    steady: float
    end: float


def run_process(plan: Plan, answer: "Connection[Record, None]") -> None:
    """The main function of the process; it sends its record through ``answer``."""
    # A garbage collection would stop all viewers for longer than a part may be late; they make no reference cycles.
    gc.disable()
    answer.send(uvloop.run(run_crowd(plan)))
    answer.close()


async def run_crowd(plan: Plan) -> Record:
    record = Record()
    world = http_world(plan.host, plan.port, record)
    viewers = [_view(world, plan, number) for number in plan.numbers]
    await _until(plan.end, [*viewers, watch_lag(record.lag)])
    return record


async def probe(host: str, port: int, master: str, record: Record) -> None:
    """Follow every rendition at the origin, until it is cancelled."""
    world = http_world(host, port, record)
    playlist = await load_master(world, master)
    async with asyncio.TaskGroup() as group:
        for path in (*playlist.video, *([playlist.audio] if playlist.audio else [])):
            group.create_task(Rendition(world, path).run())
        group.create_task(watch_lag(record.lag))


async def _view(world: World, plan: Plan, number: int) -> None:
    arrives = plan.start + (plan.steady - plan.start) * number / plan.viewers
    await asyncio.sleep(max(0.0, arrives - world.clock()))
    await Viewer(world, plan.master, Habits(number, plan.switches), Random(number)).run()


async def _until(end: float, work: list[Coroutine[object, object, None]]) -> None:
    tasks = [asyncio.create_task(each) for each in work]
    await asyncio.sleep(max(0.0, end - monotonic()))
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
