"""From measurements to the section of the book."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from bench.stage.results import Aim, Column, Plot, Row, Section, Series, Table, Value
from bench.startup.playlists import HLS, LOW_LATENCY, First
from bench.startup.server import Start

MIB = 1 << 20
# Seconds.
START_AIM, PLAYABLE_AIM, PICTURE_AIM = 1.0, 1.0, 2.0
ABOUT = """\
The server with an empty data directory and its defaults, from its being started to its ready line. Then a broadcast
of 720p30 with a keyframe every 2 s: from its first frame's having been sent to the first playlist or manifest with
something to fetch (looked for every 20 ms), which is a part with low latency and a whole segment without. Then a
viewer of a stream that is live: from the watch page's being asked for to the first picture on the screen of
headless Chromium, which draws without a graphics card, in a fresh profile. Medians of all runs; what a run took
longest is beside them.
"""
START_COLUMNS = (
    Column("what", "until"),
    Column("seconds", "median", "s"),
    Column("longest", "longest", "s"),
    Column("cpu", "CPU", "s"),
    Column("memory", "memory then", "MiB", digits=0),
)
FIRST_COLUMNS = (
    Column("what", "until the first"),
    Column("seconds", "median", "s"),
    Column("longest", "longest", "s"),
)


def section(
    starts: Sequence[Start],
    firsts: Sequence[First],
    pictures: Mapping[str, Sequence[float]],
    command: str,
    notes: Iterable[str],
    small: bool,
) -> Section:
    """``pictures`` are seconds by player; ``small`` runs prove nothing."""
    start = Row(
        {
            "what": "it listens for RTMP and HTTP",
            "seconds": median(each.seconds for each in starts),
            "longest": max(each.seconds for each in starts),
            "cpu": median(each.cpu for each in starts),
            "memory": median(each.pss for each in starts) / MIB,
        },
        command,
    )
    playable = by_kind(firsts)
    tables = [
        Table("The server", START_COLUMNS, (start,)),
        Table(
            "A broadcast's first playlist",
            FIRST_COLUMNS,
            tuple(_row(f"{kind} playlist, {mode}", taken, command) for (mode, kind), taken in playable.items()),
        ),
    ]
    if pictures:
        rows = tuple(_row(f"picture, {player}", taken, command) for player, taken in pictures.items())
        tables.append(Table("A viewer's first picture", FIRST_COLUMNS, rows))
    return Section(
        name="startup",
        title="Start-up",
        about=ABOUT,
        command=command,
        tables=tuple(tables),
        plots=(_plot(start, playable, pictures),),
        aims=_aims(start, playable, pictures, not small),
        notes=tuple(notes),
    )


def by_kind(firsts: Sequence[First]) -> dict[tuple[str, str], list[float]]:
    """Seconds by mode and kind of playlist."""
    found: dict[tuple[str, str], list[float]] = {}
    for first in firsts:
        for kind, seconds in first.playable.items():
            found.setdefault((first.mode, kind), []).append(seconds)
    return found


def _row(what: str, taken: Sequence[float], command: str) -> Row:
    values: dict[str, Value] = {"what": what, "seconds": median(taken), "longest": max(taken)}
    return Row(values, command)


def _plot(
    start: Row, playable: Mapping[tuple[str, str], Sequence[float]], pictures: Mapping[str, Sequence[float]]
) -> Plot:
    bars = {"server": float(start.values["seconds"] or 0)}
    bars |= {f"{kind},\n{mode}": median(taken) for (mode, kind), taken in playable.items()}
    bars |= {f"picture,\n{player}": median(taken) for player, taken in pictures.items()}
    return Plot(
        "seconds",
        "Until it is there",
        "",
        "s",
        (Series("Headwater", tuple(bars), tuple(bars.values())),),
        kind="bars",
    )


def _aims(
    start: Row,
    playable: Mapping[tuple[str, str], Sequence[float]],
    pictures: Mapping[str, Sequence[float]],
    proves: bool,
) -> tuple[Aim, ...]:
    first = median(playable[LOW_LATENCY, HLS])
    ready = float(start.values["seconds"] or 0)
    aims = [
        _aim(f"the server listens within {START_AIM:g} s", {"": ready}, START_AIM, proves),
        _aim(f"low-latency HLS plays within {PLAYABLE_AIM:g} s", {"": first}, PLAYABLE_AIM, proves),
    ]
    if pictures:
        taken = {player: median(seconds) for player, seconds in pictures.items()}
        aims.append(_aim(f"a viewer sees a picture within {PICTURE_AIM:g} s", taken, PICTURE_AIM, proves))
    return tuple(aims)


def _aim(text: str, measured: Mapping[str, float], most: float, proves: bool) -> Aim:
    said = ", ".join(f"{name} {seconds:.2f} s".strip() for name, seconds in measured.items())
    return Aim(text, said, max(measured.values()) <= most if proves else None)
