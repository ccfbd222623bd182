"""The store section: its options, cases, tables and aims."""

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from bench.runner.benchmark import Benchmark, Case, Findings, Group, Run, TableSpec, figure, series_by
from bench.runner.distribution import distribution
from bench.runner.main import main
from bench.runner.options import Option, count, listed, number
from bench.runner.results import Aim, Plot
from bench.store.candidates import BUCKET, OURS, PRESIGNED, SDK, Candidate, on_disk, on_server
from bench.store.measure import KINDS, PARALLEL, Kind, Turn, measure
from bench.store.outage import TRACKS, Outage, outage
from tests.lab.minio import MinioServer, minio, missing

SEGMENT_S, SMOKE_SEGMENT_S = 2.0, 0.25
# The most CPU relative to the SDK's, and seconds: a failed upload is retried after at most 8.
SDK_AIM, DRAIN_AIM_S = 1.0, 10.0
COST, OUTAGE = "What an object costs", "outage"
ABOUT = f"""\
Objects are put as by a broadcast's upload queue: {PARALLEL} at once, from one event loop. Headwater's S3 store, the
boto3 client that it uses for everything but plain PUTs, MinIO's own client, and PUTs to presigned URLs (no body is
hashed: the cost of HTTP alone) took turns at one MinIO server on this machine; the directory store with and without
fsync took its turns on the disk. CPU is user and system time of the process that puts; the server's own is not
counted, but it runs on the same cores.

For the outage, MinIO is stopped during a broadcast with a ladder of {len(TRACKS)} tracks and restarted later. The
outage is over for the broadcast once every segment that was waiting when the server answered again is stored.
"""


def cases(run: Run) -> Iterator[Case]:
    options, start = run.options, run.stack.enter_context
    directory = Path(start(tempfile.TemporaryDirectory(prefix="headwater-store-", dir=options.directory)))
    candidates = on_disk(directory)
    outages: dict[float, Callable[[int], Outage]] = {}
    if trouble := missing():
        run.notes.append(trouble)
    else:
        server = start(minio())
        server.account.sdk().make_bucket(bucket_name=BUCKET)
        candidates = on_server(server.account) | candidates
        segment_s = SMOKE_SEGMENT_S if options.smoke else SEGMENT_S
        outages = {away: partial(_outage, server, away, segment_s) for away in options.outage}
    for kind in KINDS if options.objects else ():
        turns = {name: partial(_turn, candidate, kind, options.objects) for name, candidate in candidates.items()}
        yield Case(kind.name, run.command(outage=()), turns, options.rounds)
    for away, turn in outages.items():
        command = run.command(objects=0, rounds=None, outage=(away,))
        yield Case(f"{away:g} s", command, {OURS: turn}, kind=OUTAGE)


def _turn(candidate: Candidate, kind: Kind, objects: int, number: int) -> Turn:
    return measure(candidate, kind, objects)


def _outage(server: MinioServer, away_s: float, segment_s: float, number: int) -> Outage:
    return outage(server, away_s, segment_s)


def _cpu(turn: Turn) -> float:
    """Milliseconds per object."""
    return 1000 * turn.cpu / turn.objects


def _put_ms(group: Group, percentile: str) -> float:
    return float(getattr(distribution([seconds for turn in group.turns for seconds in turn.each]), percentile))


COST_TABLE = TableSpec(
    COST,
    (
        figure("what", "object", of=lambda group: group.case.key),
        figure("who", "by", of=lambda group: group.candidate),
        figure("cpu", "CPU", "ms", digits=3, of=lambda group: group.median(_cpu)),
        figure("ratio", "of the minio SDK's", of=lambda group: group.ratio(SDK, _cpu)),
        figure("floor", "of a presigned PUT's", of=lambda group: group.ratio(PRESIGNED, _cpu)),
        figure("wall", "time for each", "ms", of=lambda g: g.median(lambda t: 1000 * t.seconds / t.objects)),
        figure("p50", "on its way p50", "ms", digits=1, of=lambda group: _put_ms(group, "p50")),
        figure("p99", "p99", "ms", digits=1, of=lambda group: _put_ms(group, "p99")),
    ),
)
OUTAGE_TABLE = TableSpec(
    "After an outage",
    (
        figure("away", "store away", "s", digits=1, of=lambda each: each.away),
        figure("segments", "segments waiting", of=lambda each: each.segments),
        figure("waiting", "waiting", "MB", digits=1, of=lambda each: each.waiting / 1e6),
        figure("drained", "all stored after", "s", of=lambda each: each.drained),
        figure("share", "of the outage", of=lambda each: each.drained / each.away),
        figure("lost", "segments lost", of=lambda each: each.lost),
    ),
    kind=OUTAGE,
    split=lambda group: group.turns,
)


def plots(found: Findings) -> Iterable[Plot]:
    if rows := found.values(COST):
        yield Plot("cpu", "CPU of an object", "", "ms", series_by(rows, by="who", x="what", y="cpu"), kind="bars")


def aims(found: Findings) -> Iterable[Aim]:
    ours = (group for group in found.of("") if group.candidate == OURS)
    ratios = {group.case.key: ratio for group in ours if (ratio := group.ratio(SDK, _cpu)) is not None}
    if ratios:
        yield Aim(
            "the S3 store takes no more CPU than the minio SDK",
            ", ".join(f"{ratio:.2f} for a {what}" for what, ratio in ratios.items()),
            max(ratios.values()) <= SDK_AIM,
        )
    outages: list[Outage] = [turn for group in found.of(OUTAGE) for turn in group.turns]
    if outages:
        yield Aim(
            f"a backlog is stored within {DRAIN_AIM_S:g} s of the store's return, with nothing lost",
            ", ".join(f"{each.drained:.1f} s after {each.away:.0f} s" for each in outages),
            all(not each.lost and each.drained <= DRAIN_AIM_S for each in outages),
        )


BENCHMARK = Benchmark(
    name="store",
    title="Store",
    about=ABOUT,
    description="What storing costs.",
    options=(
        Option("--objects", 200, count(at_least=0), "of each kind in a turn; 0: none", smoke=4),
        Option("--rounds", 3, count(), "how often they take turns", smoke=1),
        Option(
            "--outage",
            (5.0, 20.0, 60.0),
            listed(number(above=0)),
            "seconds of each outage",
            smoke=(0.5,),
            off="--no-outage",
        ),
        Option("--directory", None, Path, "where the directory store writes", repeats=False),
    ),
    cases=cases,
    tables=(COST_TABLE, OUTAGE_TABLE),
    plots=plots,
    aims=aims,
)


if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
