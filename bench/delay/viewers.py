"""The viewers, in a separate process: one per video rendition of each watched stream."""

import asyncio
import gc
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

import uvloop

from bench.delay.witness import Followed, Seen, Witness
from tests.lab.viewers.rendition import Rendition, http_world, load_master, watch_lag
from tests.lab.worker import Worker, working

FINISH_S = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """``masters`` maps the indexes of the watched streams to the paths of their multivariant playlists; ``bearer``
    is a token to send."""

    host: str
    port: int
    masters: Mapping[int, str]
    bearer: str | None


@dataclass(frozen=True, slots=True)
class Viewers:
    """``pid`` is the id of their process."""

    pid: int
    _worker: Worker

    def finish(self) -> Seen:
        """Raises LabError."""
        seen: Seen = self._worker.finish(FINISH_S)
        return seen


@contextmanager
def viewing(plan: Plan) -> Iterator[Viewers]:
    """Viewers that wait until the streams are live and follow them until the block ends."""
    with working("viewers", _run, plan) as worker:
        yield Viewers(worker.pid, worker)


def _run(plan: Plan, pipe: "Connection[Seen, str]") -> None:
    """The main function of the process."""
    gc.disable()
    with suppress(EOFError):
        pipe.send(uvloop.run(_watch(plan, pipe)))


async def _watch(plan: Plan, pipe: "Connection[Seen, str]") -> Seen:
    """Watch until ``pipe`` becomes readable."""
    lag = array("d")
    witnesses: dict[tuple[int, str], Witness] = {}
    async with asyncio.TaskGroup() as group:
        work = [
            group.create_task(_follow(plan, place, master, witnesses)) for place, master in plan.masters.items()
        ]
        work.append(group.create_task(watch_lag(lag)))
        await _readable(pipe)
        for task in work:
            task.cancel()
    followed = (
        Followed(place, path, witness.arrivals(), witness.errors) for (place, path), witness in witnesses.items()
    )
    return Seen(tuple(followed), lag)


async def _follow(plan: Plan, place: int, master: str, witnesses: dict[tuple[int, str], Witness]) -> None:
    playlist = await load_master(http_world(plan.host, plan.port, Witness(), bearer=plan.bearer), master)
    async with asyncio.TaskGroup() as group:
        for path in playlist.video:
            witness = witnesses[place, path] = Witness()
            group.create_task(Rendition(http_world(plan.host, plan.port, witness, bearer=plan.bearer), path).run())


async def _readable(pipe: "Connection[Seen, str]") -> None:
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pipe.fileno(), readable.set)
    await readable.wait()
    loop.remove_reader(pipe.fileno())
