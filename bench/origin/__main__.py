"""The origin section: its options, cases, tables and aims."""

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from bench.origin.broadcast import Broadcast, Kind, on_air
from bench.origin.burst import Burst, missing
from bench.origin.candidates import FILES, FRONT, HEADWATER, Candidate, candidates
from bench.origin.crowd import Asking, Plan, crowd
from bench.origin.measure import WAITING_TIMES, Load, Measured, measure
from bench.runner.benchmark import (
    Benchmark,
    Case,
    Findings,
    Group,
    Run,
    TableSpec,
    as_number,
    figure,
    series_by,
)
from bench.runner.main import main
from bench.runner.options import CLIP, Option, choice, count, listed
from bench.runner.results import Aim, Plot
from tests.lab.footage import usual_clip

FRONT_AIM = 0.5
MB = 1_000_000
SERVED = "What the servers give"
# All servers of a round serve the same path, which eventually leaves the window's memory.
LONGEST_S = 2
ABOUT = """\
During one broadcast of 720p30 at 4 Mbit/s, clients request its newest complete segment, a part of that segment, its
low-latency playlist, and blocking reloads of the playlist, from three servers in turn: Headwater's origin, which is
one process; nginx with one worker, which has the same bytes as plain files; and Headwater behind nginx and Varnish
as in `docker/`. The clients run on the same machine and compete for its processors, so the request rates are not
comparable; the requests answered per CPU second (user and system, of all processes involved in an answer) are.
"""


def cases(run: Run) -> Iterator[Case]:
    options, start = run.options, run.stack.enter_context
    if trouble := missing():
        run.notes.append(trouble)
    load = Load(options.seconds, options.connections, options.waiting, with_wrk=trouble is None)
    directory = Path(start(tempfile.TemporaryDirectory(prefix="headwater-origin-")))
    broadcast = start(on_air(directory, options.clip or usual_clip(smoke=options.smoke)))
    servers = start(candidates(directory, broadcast, run.notes))
    ask = start(crowd())
    for kind in options.kinds or Kind:
        turns = {
            name: _turn(broadcast, server, kind, load, ask)
            for name, server in servers.items()
            if kind in server.kinds
        }
        yield Case(kind.value, run.command(kinds=(kind,)), turns, options.rounds)


def _turn(
    broadcast: Broadcast, server: Candidate, kind: Kind, load: Load, ask: Callable[[Asking, Plan], Burst]
) -> Callable[[int], Measured]:
    return lambda number: measure(broadcast, server, kind, _hot(broadcast, kind, number), load, ask)


@cache
def _hot(broadcast: Broadcast, kind: Kind, number: int) -> str:
    """The path to request, the same for all servers of a round."""
    return broadcast.hot(kind)


def _per_cpu(turn: Measured) -> float:
    return turn.requests_per_cpu_second


def _origin_cores(group: Group) -> float | None:
    if group.candidate == FILES:
        return None
    return group.median(lambda turn: turn.origin_cpu.total / turn.burst.seconds)


TABLE = TableSpec(
    SERVED,
    (
        figure("kind", "asked for", of=lambda group: group.case.key),
        figure("server", "server", of=lambda group: group.candidate),
        figure("rate", "requests/s", digits=0, of=lambda g: g.median(lambda t: t.burst.requests / t.burst.seconds)),
        figure(
            "megabytes", "MB/s", digits=0, of=lambda g: g.median(lambda t: t.burst.received / t.burst.seconds / MB)
        ),
        figure("cores", "cores", of=lambda g: g.median(lambda t: t.cpu.total / t.burst.seconds)),
        figure("origin_cores", "Headwater's", of=_origin_cores),
        figure("per_cpu", "requests/CPU s", digits=0, of=lambda g: g.median(_per_cpu)),
        figure(
            "megabytes_per_cpu", "MB/CPU s", digits=0, of=lambda g: g.median(lambda t: t.bytes_per_cpu_second / MB)
        ),
        figure("ratio", "of files'", of=lambda group: group.ratio(FILES, _per_cpu)),
        figure("p50", "p50", "ms", of=lambda g: g.median(lambda t: t.burst.p50_ms)),
        figure("p99", "p99", "ms", of=lambda g: g.median(lambda t: t.burst.p99_ms)),
    ),
)


def plots(found: Findings) -> Iterable[Plot]:
    series = series_by(found.values(SERVED), by="server", x="kind", y="per_cpu")
    yield Plot("cpu", "What a CPU second serves", "", "requests", series, "bars", log_y=True)


def aims(found: Findings) -> Iterable[Aim]:
    failed = sum(
        turn.burst.failed for group in found.groups if group.candidate in (HEADWATER, FRONT) for turn in group.turns
    )
    yield Aim("no request fails", f"{failed} failed", not failed)
    behind = {
        row["kind"]: as_number(row["ratio"])
        for row in found.values(SERVED)
        if row["server"] == FRONT
        and row["kind"] in (Kind.PART.value, Kind.PLAYLIST.value)
        and row["ratio"] is not None
    }
    yield Aim(
        f"behind nginx, a CPU second serves at least {FRONT_AIM} of the parts and playlists that files do",
        ", ".join(f"{ratio:.2f} for a {kind}" for kind, ratio in behind.items()) or "nothing to compare with",
        min(behind.values()) >= FRONT_AIM if behind else None,
    )


BENCHMARK = Benchmark(
    name="origin",
    title="Origin",
    about=ABOUT,
    description="How many requests the origin answers per CPU second.",
    options=(
        Option("--kinds", None, listed(choice(*Kind)), "such as segment,part"),
        Option(
            "--seconds",
            LONGEST_S,
            count(at_most=LONGEST_S),
            f"of a burst; {WAITING_TIMES} times that if requests wait",
            smoke=1,
        ),
        Option("--rounds", 6, count(), "how often the servers take turns", smoke=1),
        Option("--connections", 16, count(), "of requests answered at once"),
        Option("--waiting", 400, count(), "of requests that wait for the next part", smoke=20),
        CLIP,
    ),
    cases=cases,
    tables=(TABLE,),
    plots=plots,
    aims=aims,
)


if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
