"""One run of the herd: starts everything, measures and stops it."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import uvloop

from bench.herd.origin_counts import origin_counts
from bench.herd.report import Moment, Report, report
from tests.lab.broadcaster import Clip, make_clip, publishing
from tests.lab.errors import LabError
from tests.lab.front import nginx_front, varnish_front
from tests.lab.processes import descendants, sample, tree
from tests.lab.server import serving
from tests.lab.viewers.crowd import Plan, probe, run_process
from tests.lab.viewers.on_air import wait_on_air
from tests.lab.viewers.record import Record, together
from tests.lab.worker import Worker, working

STREAM = "herd"
MASTER = f"/live/{STREAM}/master.m3u8"
START_S = 3.0
ENCODER = (("tune", "zerolatency"), ("maxrate", "2500k"), ("bufsize", "2500k"))
CLIP = Clip(20, size="1280x720", video_kbps=2500, video_options=ENCODER)
LEAVE_S = 30.0
FRONTS = {"nginx": nginx_front, "varnish": varnish_front}


@dataclass(frozen=True, slots=True)
class Options:
    """``seconds`` begin when all viewers are present; ``ramp`` is how long they take to arrive."""

    viewers: int
    seconds: float
    ramp: float
    via: str
    processes: int
    switches_per_second: float
    clip: Path | None
    environment: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stage:
    """The server side: the address for viewers, and the processes whose CPU is counted."""

    origin: str
    port: int
    renditions: int
    processes: dict[str, tuple[int, ...]]


def run(options: Options) -> Report:
    """Raises LabError."""
    with (
        tempfile.TemporaryDirectory(prefix="headwater-herd-") as directory,
        on_stage(options, Path(directory)) as stage,
    ):
        return uvloop.run(_watch(options, stage))


@contextmanager
def on_stage(options: Options, directory: Path) -> Iterator[Stage]:
    source = options.clip or make_clip(CLIP, directory / "clip.flv")
    with ExitStack() as stack:
        server = stack.enter_context(serving(directory, environment=options.environment))
        broadcaster = stack.enter_context(publishing(source, server.create(STREAM), loop=True))
        renditions = len(wait_on_air(server.http, STREAM).video)
        processes: dict[str, tuple[int, ...]] = {"headwater": (server.pid,), "broadcaster": (broadcaster.pid,)}
        children = tuple(descendants(server.pid))
        if children:
            processes["headwater's children"] = children
        origin = urlsplit(server.http)
        assert origin.port is not None
        port = origin.port
        if options.via in FRONTS:
            front = stack.enter_context(FRONTS[options.via](directory, origin.netloc))
            processes |= {name: tree(pid) for name, pid in front.processes.items()}
            port = front.port
        yield Stage(server.http, port, renditions, processes)


async def _watch(options: Options, stage: Stage) -> Report:
    probed = Record()
    origin = urlsplit(stage.origin)
    assert origin.port is not None
    probing = asyncio.create_task(probe("127.0.0.1", origin.port, MASTER, probed))
    start = monotonic() + START_S
    steady = start + options.ramp
    plan = Plan(
        host="127.0.0.1",
        port=stage.port,
        master=MASTER,
        numbers=(),
        viewers=options.viewers,
        switches=options.switches_per_second,
        start=start,
        steady=steady,
        end=steady + options.seconds,
    )
    with crowds(plan, options.processes) as herd:
        groups = {**stage.processes, "viewers": tuple(worker.pid for worker in herd)}
        await asyncio.sleep(steady - monotonic())
        first = await _moment(stage.origin, probed, groups)
        await asyncio.sleep(plan.end - monotonic())
        last = await _moment(stage.origin, probed, groups)
        records = [await asyncio.to_thread(worker.receive, LEAVE_S) for worker in herd]
    if probing.done():
        raise LabError("the broadcast ended before the viewers left")
    probing.cancel()
    with suppress(asyncio.CancelledError):
        await probing
    return report(options.viewers, stage.renditions, options.via, (together(records), probed), (first, last))


@contextmanager
def crowds(plan: Plan, processes: int) -> Iterator[list[Worker]]:
    """The viewers' processes, each of which sends its record; stopped when the block ends."""
    with ExitStack() as stack:
        parts = (replace(plan, numbers=tuple(range(place, plan.viewers, processes))) for place in range(processes))
        yield [stack.enter_context(working("viewers", run_process, part)) for part in parts]


async def _moment(origin: str, probed: Record, groups: dict[str, tuple[int, ...]]) -> Moment:
    counts = await asyncio.to_thread(origin_counts, origin)
    return Moment(monotonic(), counts, Counter(probed.requests), sample(groups))
