"""The growth section: its options, cases, tables and aims."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from bench.growth import hour, windows
from bench.growth.hour import DVR_S, Hour
from bench.growth.line import FLAT, Line, fit
from bench.growth.windows import Cost
from bench.runner.benchmark import Benchmark, Case, Findings, Group, Run, TableSpec, figure
from bench.runner.main import main
from bench.runner.options import Option, count, listed, number
from bench.runner.results import Aim, Plot, Series
from media.quantities import Duration
from tests.lab.footage import usual_clip

MIB = 1 << 20
HOUR, MINUTE = 3600, 60
# A broadcast lasts this much longer than its window, and this much of its end is measured.
OVER_S, SMOKE_OVER_S, MEASURED_S, SMOKE_MEASURED_S = 600, 60, 300, 20
EVERY_S, SMOKE_EVERY_S, WARM_UP_S = 30.0, 0.5, 180.0
# The most CPU relative to that of the shortest window, and bytes of memory per entry.
COST_AIM, ENTRY_AIM = 1.1, 150
TIME, WINDOW = "Over time", "With the DVR window"
ABOUT = f"""\
Over time: publishers send 720p30 H.264 and AAC at 4 Mbit/s to Headwater with `ladder = "source"` and a DVR window
of {DVR_S} s, so that as much is deleted as is stored. Memory is the proportional set size (PSS) of all processes of
the server, and CPU is their total. A line fitted to the samples is flat if it rises by less than {FLAT:.0%} of its
level over the run.

With the window: a broadcast of video and audio, in segments of 2 s with 6 parts, is fed much faster than real time
to the packager, the recorder and the live window, with a store that keeps nothing. The figures are for its last
five minutes: CPU is for one segment of both tracks with everything that is made from it. Memory is the growth since
the first two minutes.
"""


@dataclass(frozen=True, slots=True)
class Window:
    """How many seconds are kept (None: all), and how many seconds live playlists list."""

    dvr: int | None
    playlist: int

    def __str__(self) -> str:
        return f"{'all' if self.dvr is None else f'{self.dvr}s'}/{self.playlist}s"


def window(text: str) -> Window:
    dvr, _, playlist = text.partition("/")
    return Window(None if dvr == "all" else _seconds(dvr), _seconds(playlist))


def _seconds(text: str) -> int:
    try:
        return round(Duration(at_least=1).parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


WINDOWS = tuple(map(window, ("1m/1m", "1h/1m", "12h/1m", "all/1m", "1h/1h")))
SMOKE_WINDOWS = tuple(map(window, ("1m/20s", "all/20s")))


def cases(run: Run) -> Iterator[Case]:
    options, smoke = run.options, run.options.smoke
    over, measured = (SMOKE_OVER_S, SMOKE_MEASURED_S) if smoke else (OVER_S, MEASURED_S)
    for each in options.windows:
        length = round(HOUR * options.hours) if each.dvr is None else each.dvr + over
        case = windows.Case(each.dvr, each.playlist, length, measured)
        hours = options.hours if each.dvr is None else None
        command = run.command(minutes=0.0, publishers=None, warm_up=None, windows=(each,), hours=hours)
        yield Case(case, command, {"Headwater": partial(windows.measure, case)}, kind=WINDOW)
    if options.minutes:
        every = SMOKE_EVERY_S if smoke else EVERY_S
        clip = usual_clip(smoke=smoke)
        load = hour.Load(options.publishers, MINUTE * options.minutes, options.warm_up, every, clip)
        command = run.command(windows=(), hours=None)
        yield Case("constant load", command, {"Headwater": partial(hour.measure, load)}, kind=TIME)


def in_words(seconds: int | None) -> str:
    """Such as ``1 h`` or ``90 s``; None is an unlimited window."""
    if seconds is None:
        return "all"
    if seconds % HOUR == 0:
        return f"{seconds // HOUR} h"
    return f"{seconds // MINUTE} min" if seconds % MINUTE == 0 else f"{seconds} s"


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through all samples."""

    what: str
    line: Line


def _trends(group: Group) -> tuple[Trend, Trend]:
    samples = group.turns[0].samples
    hours = [sample.at / HOUR for sample in samples]
    return (
        Trend("memory (MiB)", fit(hours, [sample.pss / MIB for sample in samples])),
        Trend("CPU (% of a core)", fit(hours, [100 * sample.cpu for sample in samples])),
    )


TIME_TABLE = TableSpec(
    TIME,
    (
        figure("what", "of the whole server", of=lambda trend: trend.what),
        figure("level", "mean", of=lambda trend: trend.line.level),
        figure("slope", "in an hour", digits=3, of=lambda trend: trend.line.slope),
        figure("growth", "growth in the run", "%", digits=1, of=lambda trend: 100 * trend.line.growth),
        figure("verdict", "verdict", of=lambda trend: "a line, flat" if trend.line.flat else "it grows"),
    ),
    kind=TIME,
    split=_trends,
)
WINDOW_TABLE = TableSpec(
    WINDOW,
    (
        figure("dvr", "DVR window", of=lambda cost: in_words(cost.case.dvr)),
        figure("playlist", "live playlists list", of=lambda cost: in_words(cost.case.playlist)),
        figure("entries", "entries held", of=lambda cost: cost.entries),
        figure("make", "made", "ms", digits=3, of=lambda cost: cost.make),
        figure("store", "stored", "ms", digits=3, of=lambda cost: cost.store),
        figure("playlists", "live playlists", "ms", digits=3, of=lambda cost: cost.playlists),
        figure("manifest", "live manifest", "ms", digits=3, of=lambda cost: cost.manifest),
        figure("total", "a segment", "ms", digits=3, of=lambda cost: cost.total),
        figure("memory", "memory", "MiB", of=lambda cost: cost.memory / MIB),
        figure("end", "the end takes", "ms", digits=0, of=lambda cost: cost.end_ms),
        figure("texts", "its texts", "MB", of=lambda cost: cost.end_bytes / 1e6),
    ),
    kind=WINDOW,
    split=lambda group: group.turns,
)


def plots(found: Findings) -> Iterable[Plot]:
    for group in found.of(TIME):
        hour: Hour = group.turns[0]
        minutes = tuple(round(sample.at / MINUTE, 2) for sample in hour.samples)
        memory = tuple(round(sample.pss / MIB, 2) for sample in hour.samples)
        cpu = tuple(round(100 * sample.cpu, 3) for sample in hour.samples)
        title = f"{hour.publishers} streams at constant load"
        yield Plot("memory", f"Memory, {title}", "minutes", "MiB", (Series("Headwater", minutes, memory),))
        yield Plot("cpu", f"CPU, {title}", "minutes", "% of a core", (Series("Headwater", minutes, cpu),))


def aims(found: Findings) -> Iterable[Aim]:
    for group in found.of(TIME):
        trends = _trends(group)
        words = ", ".join(f"{each.what.partition(' (')[0]} {100 * each.line.growth:+.1f} %" for each in trends)
        flat = all(each.line.flat for each in trends)
        yield Aim("memory and CPU are a line, flat", words, None if group.turns[0].lost else flat)
    yield from _window_aims([turn for group in found.of(WINDOW) for turn in group.turns])


def _window_aims(costs: list[Cost]) -> Iterator[Aim]:
    """Compares longer windows with the shortest one whose live playlists have the same length."""
    shortest = min((cost.case.playlist for cost in costs), default=0)
    comparable = sorted((cost for cost in costs if cost.case.playlist == shortest), key=lambda cost: cost.case.kept)
    if len(comparable) < 2:
        return
    first, *longer = comparable
    slowest, last = max(longer, key=lambda cost: cost.total), longer[-1]
    times = slowest.total / first.total
    each = (last.memory - first.memory) / max(1, last.entries - first.entries)
    yield Aim(
        f"the CPU of a segment does not grow with the window (at most {COST_AIM} times)",
        f"{times:.2f} times {_compared(slowest, first)}",
        times <= COST_AIM,
    )
    yield Aim(
        f"at most {ENTRY_AIM} bytes of memory for each segment of a track in the window",
        f"{each:.0f} {_compared(last, first)}",
        each <= ENTRY_AIM,
    )


def _compared(longer: Cost, shorter: Cost) -> str:
    return f"with a window of {in_words(longer.case.kept)} instead of one of {in_words(shorter.case.kept)}"


def notes(found: Findings) -> Iterable[str]:
    lost = sum(turn.lost for group in found.of(TIME) for turn in group.turns)
    return (f"{lost} publishers were cut off.",) if lost else ()


BENCHMARK = Benchmark(
    name="growth",
    title="Growth",
    about=ABOUT,
    description="What grows with time, and with the DVR window.",
    options=(
        Option("--minutes", 60.0, number(at_least=0), "of constant load; 0: none", smoke=0.05),
        Option("--publishers", 4, count(), "of constant load", smoke=1),
        Option("--warm-up", WARM_UP_S, number(at_least=0), "seconds before it", smoke=1.0),
        Option(
            "--windows", WINDOWS, listed(window), "DVR windows/what playlists list; or none", smoke=SMOKE_WINDOWS
        ),
        Option("--hours", 12.0, number(above=0), "of the simulated broadcast that keeps all of it", smoke=0.1),
    ),
    cases=cases,
    tables=(TIME_TABLE, WINDOW_TABLE),
    plots=plots,
    aims=aims,
    notes=notes,
)


if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
