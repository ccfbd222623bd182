"""The delay section: its options, cases, tables and aims."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from bench.delay.measure import Delays, Measured, measure
from bench.runner.benchmark import Benchmark, Case, Findings, Group, Run, TableSpec, as_number, figure
from bench.runner.distribution import distribution
from bench.runner.load import Load, punctuality
from bench.runner.main import main
from bench.runner.options import CLIP, Option, choice, count, listed, number
from bench.runner.results import Aim, Plot, Series
from bench.servers import HEADWATER, MEDIAMTX, SERVERS, SOURCE, Server, headwater, present
from tests.lab.footage import usual_clip

ENCODING = "Headwater, encoding"
REMUXING = {name: SERVERS[name] for name in (HEADWATER, MEDIAMTX)}
LADDERS = {ENCODING: headwater("auto")}
FIRST_BYTE_AIM_MS = 30
PARTS = "From a part's last frame to the part"
ABOUT = """\
Publishers send 720p30 H.264 (4 Mbit/s) and AAC; viewers of low-latency HLS each keep a blocking playlist reload and
a request for the hinted part open. The delay of a part is measured from the moment when its last frame has been
written to the publisher's socket until its first and its last byte, and the last byte of the playlist that lists
it, arrive at the viewer. Up to four of the streams are watched, with all their renditions. Parts last 333 ms.
Publishers, server and viewers share this machine's processors. MediaMTX omits the media before a broadcast's second
keyframe; its parts are counted from the latest keyframe with which they can begin.
"""


def prepare(options: argparse.Namespace) -> None:
    """If only one of the two kinds of load is given, only that kind is measured."""
    if options.streams is None and options.encoded is None:
        options.streams, options.encoded = (1, 10, 50), (1,)


def cases(run: Run) -> Iterator[Case]:
    options = run.options
    clip = options.clip or usual_clip(smoke=options.smoke)
    for name, counts, all_servers in (
        ("streams", options.streams, REMUXING),
        ("encoded", options.encoded, LADDERS),
    ):
        servers = present(all_servers, options.only, run.notes) if counts else {}
        for streams in counts if servers else ():
            load = Load(streams, options.seconds, options.warm_up, clip)
            candidates = {server: partial(_turn, each, load) for server, each in servers.items()}
            command = run.command(**{"streams": None, "encoded": None, name: (streams,)})
            yield Case(streams, command, candidates, options.rounds)


def _turn(server: Server, load: Load, number: int) -> Measured:
    return measure(server, load)


@dataclass(frozen=True, slots=True)
class Line:
    """One rendition, over all turns."""

    group: Group
    rendition: str
    delays: Delays

    def ms(self, what: str, percentile: str) -> float:
        return float(getattr(distribution(getattr(self.delays, what)), percentile))


def renditions(group: Group) -> Iterator[Line]:
    for name in dict.fromkeys(name for turn in group.turns for name in turn.delays):
        yield Line(group, name, sum((turn.delays.get(name, Delays()) for turn in group.turns), Delays()))


CASE = (
    figure("streams", "streams", of=lambda line: line.group.case.key),
    figure("server", "server", of=lambda line: line.group.candidate),
    figure("rendition", "rendition", of=lambda line: line.rendition),
)
PART_TABLE = TableSpec(
    PARTS,
    (
        *CASE,
        figure("parts", "parts", of=lambda line: len(line.delays.first_byte)),
        figure("first_p50", "first byte p50", "ms", digits=1, of=lambda line: line.ms("first_byte", "p50")),
        figure("first_p99", "p99", "ms", digits=1, of=lambda line: line.ms("first_byte", "p99")),
        figure("first_p999", "p99.9", "ms", digits=1, of=lambda line: line.ms("first_byte", "p999")),
        figure("last_p50", "last byte p50", "ms", digits=1, of=lambda line: line.ms("last_byte", "p50")),
        figure("last_p99", "p99", "ms", digits=1, of=lambda line: line.ms("last_byte", "p99")),
        figure("last_p999", "p99.9", "ms", digits=1, of=lambda line: line.ms("last_byte", "p999")),
        figure("missing", "missing", of=lambda line: line.delays.missing),
    ),
    split=renditions,
)
PLAYLIST_TABLE = TableSpec(
    "From a part's last frame to the playlist that names it",
    (
        *CASE,
        figure("named_p50", "p50", "ms", digits=1, of=lambda line: line.ms("named", "p50")),
        figure("named_p99", "p99", "ms", digits=1, of=lambda line: line.ms("named", "p99")),
        figure("named_p999", "p99.9", "ms", digits=1, of=lambda line: line.ms("named", "p999")),
    ),
    split=renditions,
)


def plots(found: Findings) -> Iterable[Plot]:
    rows = found.values(PARTS)
    names = tuple(f"{row['server']}\n{row['rendition']}, {row['streams']}" for row in rows)
    series = tuple(
        Series(title, names, tuple(as_number(row[key]) for row in rows))
        for title, key in (("first byte, p50", "first_p50"), ("first byte, p99", "first_p99"))
    )
    title = "From a part's last frame to its first byte"
    yield Plot("first-byte", title, "rendition, streams", "ms", series, "bars")


def aims(found: Findings) -> Iterable[Aim]:
    own = [row for row in found.values(PARTS) if (row["server"], row["rendition"]) == (HEADWATER, SOURCE)]
    if own:
        worst = {str(each["streams"]): as_number(each["first_p99"]) for each in own}
        yield Aim(
            f"source rendition at most {FIRST_BYTE_AIM_MS} ms p99 to the first byte",
            ", ".join(f"{value:.1f} ms at {streams}" for streams, value in worst.items()),
            max(worst.values()) <= FIRST_BYTE_AIM_MS,
        )


def notes(found: Findings) -> Iterable[str]:
    for group in found.groups:
        for turn in group.turns:
            if turn.errors:
                errors = ", ".join(f"{what} ({count})" for what, count in turn.errors.items())
                yield f"{group.candidate}'s viewers met errors at {group.case.key} streams: {errors}."
    turns = [turn for group in found.groups for turn in group.turns]
    lag = distribution([seconds for turn in turns for seconds in turn.lag])
    busiest = max(turn.viewers_cpu for turn in turns)
    yield (
        f"The viewers' own event loop was late by {lag.p50} ms p50, {lag.p99} ms p99; they took up to "
        f"{busiest:.1%} of a core."
    )
    yield punctuality(turn.sent for turn in turns)


BENCHMARK = Benchmark(
    name="delay",
    title="Delay of a part",
    about=ABOUT,
    description="How long a viewer waits for media after they were sent.",
    options=(
        Option("--streams", None, listed(count()), "remuxed; 1,10,50 unless --encoded is given", smoke=(1,)),
        Option("--encoded", None, listed(count()), "with a ladder; 1 unless --streams is given", smoke=()),
        Option("--seconds", 60.0, number(above=0), "that are counted", smoke=3.0),
        Option("--warm-up", 8.0, number(at_least=0), "seconds before them", smoke=2.5),
        Option("--rounds", 2, count(), "how often the servers take turns", smoke=1),
        Option("--only", None, choice(HEADWATER, ENCODING, MEDIAMTX), "one server alone", repeats=False),
        CLIP,
    ),
    cases=cases,
    tables=(PART_TABLE, PLAYLIST_TABLE),
    plots=plots,
    aims=aims,
    notes=notes,
    prepare=prepare,
)


if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
