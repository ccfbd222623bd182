"""The herd: its options, its measurement and its table. Not part of the book."""

import os
import sys
from collections.abc import Iterator
from functools import partial

from bench.herd.report import Report
from bench.herd.run import Options, run
from bench.runner.benchmark import Benchmark, Case, Group, Run, TableSpec, figure
from bench.runner.distribution import Distribution
from bench.runner.main import main
from bench.runner.options import CLIP, Option, choice, count, number

MINUTE_S = 60
ABOUT = "Viewers of low-latency HLS of one stream. Server, caches, broadcaster and viewers share this machine."


def cases(run: Run) -> Iterator[Case]:
    chosen = run.options
    environment = {"HEADWATER_TRANSCODER__LADDER": chosen.ladder}
    if chosen.part_target is not None:
        environment["HEADWATER_PACKAGER__PART_TARGET"] = chosen.part_target
    switches = chosen.switches / MINUTE_S
    plan = (chosen.viewers, chosen.seconds, chosen.ramp, chosen.via, chosen.processes, switches, chosen.clip)
    options = Options(*plan, environment)
    yield Case(f"{chosen.viewers} viewers", run.command(), {chosen.via: partial(_watch, options)})


def _watch(options: Options, number: int) -> Report:
    return run(options)


def lines(group: Group) -> Iterator[tuple[str, str]]:
    """The result of the only run, as labelled lines."""
    report: Report = group.turns[0]
    yield "viewers, renditions, seconds", f"{report.viewers}, {report.renditions}, {report.seconds}"
    yield "requests a second", f"{report.requests_per_second} (slowest second {report.slowest_second})"
    yield "Mbit/s", str(report.megabits_per_second)
    yield "errors", ", ".join(f"{count} x {what}" for what, count in report.errors.items()) or "none"
    yield "lateness of a part", _spread(report.lateness_ms)
    yield "of it, viewers' event loops", _spread(report.loop_lag_ms)
    yield "the probe's event loop", _spread(report.probe_lag_ms)
    yield "the probe's errors", str(sum(report.probe_errors.values()))
    yield "parts that arrived", str(report.lateness_ms.count)
    yield "distinct URLs", str(report.share.urls)
    yield "requests at the origin", f"{report.share.origin} ({report.share.of_answered:.2%} of the viewers')"
    yield "of them", ", ".join(f"{count} {kind}" for kind, count in report.origin_requests.items())
    yield "origin requests per distinct URL", str(report.share.per_url)
    yield "switches of rendition", str(report.switches)
    yield "hints without a part", str(report.misled_by_hints)
    for name, cores in report.cpu_cores.items():
        yield f"CPU cores, {name}", str(cores)


def _spread(found: Distribution) -> str:
    return f"p50 {found.p50}  p99 {found.p99}  p99.9 {found.p999}  max {found.max} ms"


BENCHMARK = Benchmark(
    name="herd",
    title="A crowd",
    about=ABOUT,
    description="Many low-latency HLS viewers of one stream.",
    options=(
        Option("--viewers", 500, count(), "of one stream", smoke=4),
        Option("--seconds", 180.0, number(above=0), "with all viewers there", smoke=4.0),
        Option("--ramp", 10.0, number(at_least=0), "seconds in which the viewers come", smoke=0.5),
        Option("--via", "nginx", choice("nginx", "varnish", "origin"), "what the viewers connect to"),
        Option("--ladder", "auto", choice("auto", "source"), "the ladder"),
        Option("--part-target", None, str, 'such as "200ms"'),
        Option("--switches", 0.05, number(at_least=0), "rendition switches of a viewer in a minute"),
        Option("--processes", os.cpu_count() or 1, count(), "that viewers run in", repeats=False),
        CLIP,
    ),
    cases=cases,
    tables=(
        TableSpec(
            "What the viewers saw",
            (figure("what", "what", of=lambda line: line[0]), figure("value", "measured", of=lambda line: line[1])),
            split=lines,
        ),
    ),
    in_book=False,
)

if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
