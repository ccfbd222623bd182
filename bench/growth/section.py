"""From measurements to the section of the book."""

from collections.abc import Iterable, Sequence

from bench.growth.hour import DVR_S, Hour
from bench.growth.line import FLAT, Line, fit
from bench.growth.windows import Cost
from bench.stage.results import Aim, Column, Plot, Row, Section, Series, Table, Value

MIB = 1 << 20
# Of the shortest window's CPU, and bytes of memory for an entry.
COST_AIM, ENTRY_AIM = 1.1, 150
HOUR, MINUTE = 3600, 60
ABOUT = f"""\
Over time: publishers of 720p30 H.264 and AAC at 4 Mbit/s, to Headwater with `ladder = "source"` and a DVR window
of {DVR_S} s, so that as much is removed as is stored. Memory is the proportional set size (PSS) of all the server's
processes, CPU is theirs too. A line through the samples is called flat where it rises by less than {FLAT:.0%} of
its level in the whole time.

With the window: a broadcast of a picture and its sound, in segments of 2 s with 6 parts, fed much faster than it
would pass to the packager, the publisher and the live window, with a store that keeps nothing. The figures are of
its last five minutes: CPU for one segment of both tracks with everything that is made for it. Memory is what came
to be held since its first two minutes.
"""
TIME_COLUMNS = (
    Column("what", "of the whole server"),
    Column("level", "mean"),
    Column("slope", "in an hour", digits=3),
    Column("growth", "growth in the run", "%", digits=1),
    Column("verdict", "verdict"),
)
WINDOW_COLUMNS = (
    Column("dvr", "DVR window"),
    Column("playlist", "live playlists list"),
    Column("entries", "entries held"),
    Column("make", "made", "ms", digits=3),
    Column("store", "stored", "ms", digits=3),
    Column("playlists", "live playlists", "ms", digits=3),
    Column("manifest", "live manifest", "ms", digits=3),
    Column("total", "a segment", "ms", digits=3),
    Column("memory", "memory", "MiB"),
    Column("end", "the end takes", "ms", digits=0),
    Column("texts", "its texts", "MB"),
)


def section(
    hour: Hour | None,
    costs: Sequence[Cost],
    command: str,
    hour_command: str,
    notes: Iterable[str],
    small: bool,
) -> Section:
    """``small`` runs prove nothing."""
    lines = _lines(hour) if hour is not None else {}
    tables = []
    if lines:
        tables.append(Table("Over time", TIME_COLUMNS, tuple(_line(*each, hour_command) for each in lines.items())))
    if costs:
        tables.append(Table("With the DVR window", WINDOW_COLUMNS, tuple(map(_cost_row, costs))))
    lost = (f"{hour.lost} publishers were cut off.",) if hour is not None and hour.lost else ()
    return Section(
        name="growth",
        title="Growth",
        about=ABOUT,
        command=command,
        tables=tuple(tables),
        plots=_plots(hour) if hour is not None else (),
        aims=(*_time_aims(lines, not small and not lost), *_window_aims(costs, not small)),
        notes=(*notes, *lost),
    )


def worded(seconds: int | None) -> str:
    """``1 h``, ``90 s``; None is a window without an end."""
    if seconds is None:
        return "all"
    if seconds % HOUR == 0:
        return f"{seconds // HOUR} h"
    return f"{seconds // MINUTE} min" if seconds % MINUTE == 0 else f"{seconds} s"


def _lines(hour: Hour) -> dict[str, Line]:
    hours = [sample.at / HOUR for sample in hour.samples]
    return {
        "memory (MiB)": fit(hours, [sample.pss / MIB for sample in hour.samples]),
        "CPU (% of a core)": fit(hours, [100 * sample.cpu for sample in hour.samples]),
    }


def _line(what: str, line: Line, command: str) -> Row:
    values: dict[str, Value] = {
        "what": what,
        "level": line.level,
        "slope": line.slope,
        "growth": 100 * line.growth,
        "verdict": "a line, flat" if line.flat else "it grows",
    }
    return Row(values, command)


def _cost_row(cost: Cost) -> Row:
    values: dict[str, Value] = {
        "dvr": worded(cost.case.dvr),
        "playlist": worded(cost.case.playlist),
        "entries": cost.entries,
        "make": cost.make,
        "store": cost.store,
        "playlists": cost.playlists,
        "manifest": cost.manifest,
        "total": cost.total,
        "memory": cost.memory / MIB,
        "end": cost.end_ms,
        "texts": cost.end_bytes / 1e6,
    }
    case = cost.case
    window = f"all/{case.playlist}s --hours {case.length / HOUR:g}"
    if case.dvr is not None:
        window = f"{case.dvr}s/{case.playlist}s"
    return Row(values, f"python -m bench.growth --minutes 0 --windows {window}")


def _plots(hour: Hour) -> tuple[Plot, ...]:
    minutes = tuple(round(sample.at / MINUTE, 2) for sample in hour.samples)
    memory = tuple(round(sample.pss / MIB, 2) for sample in hour.samples)
    cpu = tuple(round(100 * sample.cpu, 3) for sample in hour.samples)
    title = f"{hour.publishers} streams at constant load"
    return (
        Plot("memory", f"Memory, {title}", "minutes", "MiB", (Series("Headwater", minutes, memory),)),
        Plot("cpu", f"CPU, {title}", "minutes", "% of a core", (Series("Headwater", minutes, cpu),)),
    )


def _time_aims(lines: dict[str, Line], proves: bool) -> tuple[Aim, ...]:
    if not lines:
        return ()
    said = ", ".join(f"{what.partition(' (')[0]} {100 * line.growth:+.1f} %" for what, line in lines.items())
    flat = all(line.flat for line in lines.values())
    return (Aim("memory and CPU are a line, flat", said, flat if proves else None),)


def _window_aims(costs: Sequence[Cost], proves: bool) -> tuple[Aim, ...]:
    """Of those whose live playlists list equally much, longer windows against the shortest."""
    shortest = min((cost.case.playlist for cost in costs), default=0)
    alike = sorted((cost for cost in costs if cost.case.playlist == shortest), key=lambda cost: cost.case.kept)
    if len(alike) < 2:
        return ()
    first, *longer = alike
    slowest, last = max(longer, key=lambda cost: cost.total), longer[-1]
    times = slowest.total / first.total
    each = (last.memory - first.memory) / max(1, last.entries - first.entries)
    return (
        Aim(
            f"the CPU of a segment does not grow with the window (at most {COST_AIM} times)",
            f"{times:.2f} times {_instead(slowest, first)}",
            times <= COST_AIM if proves else None,
        ),
        Aim(
            f"at most {ENTRY_AIM} bytes of memory for each segment of a track in the window",
            f"{each:.0f} {_instead(last, first)}",
            each <= ENTRY_AIM if proves else None,
        ),
    )


def _instead(longer: Cost, shorter: Cost) -> str:
    return f"with a window of {worded(longer.case.kept)} instead of one of {worded(shorter.case.kept)}"
