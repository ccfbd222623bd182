"""The density section: its options, cases, tables and aims."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from bench.density.measure import Measured, measure
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
from bench.runner.distribution import distribution
from bench.runner.load import Load, punctuality
from bench.runner.main import main
from bench.runner.options import CLIP, Option, choice, count, listed, number
from bench.runner.results import Aim, Plot, Value
from bench.servers import COMPILED, HEADWATER, NGINX, SERVERS, Server, present
from tests.lab.footage import usual_clip
from tests.lab.rtmp.loop import CHUNK_SIZE

CPU_AIM, MEMORY_AIM_MIB, FLAT_AIM = 1.2, 12, 1.1
MIB = 1 << 20
COST = "What a stream costs"
ABOUT = """\
Publishers send 720p30 H.264 and AAC to Headwater with `ladder = "source"`, from its sources and compiled (`make
fast`), nginx with the RTMP module, SRS and MediaMTX in turn, with one write for each message, as OBS and ffmpeg do.
Headwater writes HLS, low-latency HLS and
DASH with CMAF segments to its directory store; nginx-rtmp and SRS write HLS with MPEG-TS segments; MediaMTX makes
low-latency HLS, with its segments on disk and its playlists in memory. All segments last 2 s. CPU is the share of
one core that all processes of the server use per stream; memory is their peak proportional set size (PSS) per
stream, minus the PSS before the first publisher. A segment's lateness is the time from when the publisher has sent
its last frame until the playlist on disk lists it; from Headwater, whose live viewers get playlists and segments
from memory, until its file is there.
"""


def cases(run: Run) -> Iterator[Case]:
    options = run.options
    clip = options.clip or usual_clip(smoke=options.smoke)
    servers = present(SERVERS, options.only, run.notes)
    for publishers in options.publishers if servers else ():
        load = Load(publishers, options.seconds, options.warm_up, clip, options.chunk_size)
        candidates = {name: partial(_turn, server, load) for name, server in servers.items()}
        yield Case(publishers, run.command(publishers=(publishers,)), candidates, options.rounds)


def _turn(server: Server, load: Load, number: int) -> Measured:
    return measure(server, load)


def _ratio(group: Group) -> float | None:
    """CPU relative to nginx-rtmp's, over the turns in which both kept up."""
    return group.ratio(NGINX, lambda turn: turn.cpu_share.total if turn.kept_up else None)


def _lateness(group: Group, percentile: str) -> float | None:
    """A percentile over the segments of all turns."""
    late = distribution([seconds for turn in group.turns for seconds in turn.late or ()])
    return float(getattr(late, percentile)) if late.count else None


CASE = (
    figure("publishers", "streams", of=lambda group: group.case.key),
    figure("server", "server", of=lambda group: group.candidate),
)
COST_TABLE = TableSpec(
    COST,
    (
        *CASE,
        figure("cpu", "CPU", "% of a core", digits=3, of=lambda g: g.median(lambda t: 100 * t.cpu_share.total)),
        figure("user", "user", "%", digits=3, of=lambda g: g.median(lambda t: 100 * t.cpu_share.user)),
        figure("system", "system", "%", digits=3, of=lambda g: g.median(lambda t: 100 * t.cpu_share.system)),
        figure("ratio", "of nginx-rtmp's", of=_ratio),
        figure("memory", "memory", "MiB", of=lambda g: g.median(lambda t: t.memory_per_stream / MIB)),
        figure("base", "without streams", "MiB", digits=1, of=lambda g: g.median(lambda t: t.base.pss / MIB)),
        figure("late_p50", "late p50", "ms", digits=0, of=lambda group: _lateness(group, "p50")),
        figure("late_max", "late max", "ms", digits=0, of=lambda group: _lateness(group, "max")),
    ),
)
WRITTEN_TABLE = TableSpec(
    "What is written",
    (
        *CASE,
        figure(
            "written",
            "written for a stream",
            "kB/s",
            digits=0,
            of=lambda group: group.median(lambda turn: turn.written / turn.seconds / turn.publishers / 1000),
        ),
        figure(
            "files",
            "files at the end",
            of=lambda group: ", ".join(f"{n} {suffix or 'others'}" for suffix, n in group.turns[-1].files.items()),
        ),
    ),
)


def plots(found: Findings) -> Iterable[Plot]:
    for key, title, unit in (
        ("cpu", "CPU of a stream", "% of a core"),
        ("memory", "Memory of a stream", "MiB"),
    ):
        yield Plot(key, title, "streams", unit, series_by(found.values(COST), by="server", x="publishers", y=key))


def aims(found: Findings) -> Iterable[Aim]:
    """Only the numbers of streams with which Headwater kept up in every round count, if there are any."""
    for server in (HEADWATER, COMPILED):
        own, judged = _counting(found, server)
        if not own:
            continue
        ratios = {str(each["publishers"]): as_number(each["ratio"]) for each in own if each["ratio"] is not None}
        yield Aim(
            f"{server}: at most {CPU_AIM} of nginx-rtmp's CPU",
            _each(ratios, "", 2) or "nothing to compare with",
            max(ratios.values()) <= CPU_AIM if judged and ratios else None,
        )
    own, judged = _counting(found, HEADWATER)
    if not own:
        return
    memory = {str(each["publishers"]): as_number(each["memory"]) for each in own}
    growth = as_number(own[-1]["cpu"]) / as_number(own[0]["cpu"])
    yield Aim(
        f"at most {MEMORY_AIM_MIB} MiB for each stream",
        _each(memory, " MiB", 1),
        max(memory.values()) <= MEMORY_AIM_MIB if judged else None,
    )
    yield Aim(
        f"CPU of a stream flat from the fewest streams to the most (at most {FLAT_AIM} times)",
        f"{growth:.2f} times from {own[0]['publishers']} to {own[-1]['publishers']} streams",
        growth <= FLAT_AIM if judged and len(own) > 1 else None,
    )


def _counting(found: Findings, server: str) -> tuple[list[dict[str, Value]], bool]:
    """The rows of ``server`` that count, and whether an aim can be judged by them."""
    groups = [group for group in found.groups if group.candidate == server]
    kept_up = {group.case.key for group in groups if all(turn.kept_up for turn in group.turns)}
    rows = [values for values in found.values(COST) if values["server"] == server]
    own = [values for values in rows if values["publishers"] in kept_up]
    return own or rows, bool(own)


def notes(found: Findings) -> Iterable[str]:
    behind = dict.fromkeys(
        f"{group.candidate} did not keep up with {group.case.key} publishers ({len(turn.sent.lost)} were cut off): "
        "its costs with so many are not comparable."
        for group in found.groups
        for turn in group.turns
        if not turn.kept_up
    )
    return (*behind, punctuality(turn.sent for group in found.groups for turn in group.turns))


def _each(values: Mapping[str, float], unit: str, digits: int) -> str:
    return ", ".join(f"{value:.{digits}f}{unit} at {publishers}" for publishers, value in values.items())


BENCHMARK = Benchmark(
    name="density",
    title="Remux density",
    about=ABOUT,
    description="What it costs to receive and write a broadcast.",
    options=(
        Option("--publishers", (10, 50, 100, 200), listed(count()), "such as 10,50", smoke=(2,)),
        Option("--seconds", 60.0, number(above=0), "that are counted", smoke=3.0),
        Option("--warm-up", 15.0, number(at_least=0), "seconds before them", smoke=1.0),
        Option("--chunk-size", CHUNK_SIZE, count(), "bytes; OBS sends chunks of 4096, ffmpeg of 128"),
        Option("--rounds", 2, count(), "how often the servers take turns", smoke=1),
        Option("--only", None, choice(*SERVERS), "one server alone", repeats=False),
        CLIP,
    ),
    cases=cases,
    tables=(COST_TABLE, WRITTEN_TABLE),
    plots=plots,
    aims=aims,
    notes=notes,
)


if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
