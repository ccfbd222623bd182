"""From measurements to the section of the book."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from bench.origin.broadcast import Kind
from bench.origin.candidates import FILES, FRONT, HEADWATER
from bench.origin.measure import Measured
from bench.stage.results import Aim, Column, Plot, Row, Section, Series, Table, Value

FRONT_AIM = 0.5
MB = 1_000_000
ABOUT = """\
While one broadcast of 720p30 at 4 Mbit/s goes on, its newest complete segment, a part of it, its low-latency
playlist and blocking reloads of that are asked for: at Headwater's origin, which is one process; at nginx with one
worker, which has the same bytes as plain files; and at Headwater behind nginx and Varnish as in `docker/`. They
take turns. The load is on the same machine, so the rates are what neighbours leave to each other; what a CPU second
of the servers (user and system, of all processes that take part in an answer) serves is comparable.
"""
COLUMNS = (
    Column("kind", "asked for"),
    Column("server", "server"),
    Column("rate", "requests/s", digits=0),
    Column("megabytes", "MB/s", digits=0),
    Column("cores", "cores"),
    Column("origin_cores", "Headwater's"),
    Column("per_cpu", "requests/CPU s", digits=0),
    Column("megabytes_per_cpu", "MB/CPU s", digits=0),
    Column("ratio", "of files'"),
    Column("p50", "p50", "ms"),
    Column("p99", "p99", "ms"),
)

# One of each server, of one kind, that took turns.
Turns = Mapping[str, Measured]


def section(
    found: Mapping[Kind, Sequence[Turns]], command: str, row_options: str, notes: Iterable[str], small: bool
) -> Section:
    """``row_options`` are the command line's but for the kinds; ``small`` runs prove nothing."""
    rows = [
        Row(_values(kind, server, rounds), f'python -m bench.origin --kinds "{kind.value}" {row_options}')
        for kind, rounds in found.items()
        for server in rounds[0]
    ]
    return Section(
        name="origin",
        title="Origin",
        about=ABOUT,
        command=command,
        tables=(Table("What the servers give", COLUMNS, tuple(rows)),),
        plots=(_plot(rows),),
        aims=_aims(found, rows, small),
        notes=tuple(notes),
    )


def _values(kind: Kind, server: str, rounds: Sequence[Turns]) -> dict[str, Value]:
    """Medians over the rounds."""
    own = [turns[server] for turns in rounds]
    ratios = [
        turns[server].requests_per_cpu_second / turns[FILES].requests_per_cpu_second
        for turns in rounds
        if FILES in turns and server != FILES
    ]
    p50 = [each.burst.p50_ms for each in own if each.burst.p50_ms is not None]
    p99 = [each.burst.p99_ms for each in own if each.burst.p99_ms is not None]
    return {
        "kind": kind.value,
        "server": server,
        "rate": median(each.burst.requests / each.burst.seconds for each in own),
        "megabytes": median(each.burst.received / each.burst.seconds / MB for each in own),
        "cores": median(each.cpu.total / each.burst.seconds for each in own),
        "origin_cores": None
        if server == FILES
        else median(each.origin_cpu.total / each.burst.seconds for each in own),
        "per_cpu": median(each.requests_per_cpu_second for each in own),
        "megabytes_per_cpu": median(each.bytes_per_cpu_second / MB for each in own),
        "ratio": median(ratios) if ratios else None,
        "p50": median(p50) if p50 else None,
        "p99": median(p99) if p99 else None,
    }


def _plot(rows: Sequence[Row]) -> Plot:
    series = []
    for server in dict.fromkeys(str(row.values["server"]) for row in rows):
        own = [row.values for row in rows if row.values["server"] == server]
        kinds = tuple(str(each["kind"]) for each in own)
        series.append(Series(server, kinds, tuple(_number(each["per_cpu"]) for each in own)))
    return Plot("cpu", "What a CPU second serves", "", "requests", tuple(series), "bars", log_y=True)


def _aims(found: Mapping[Kind, Sequence[Turns]], rows: Sequence[Row], small: bool) -> tuple[Aim, ...]:
    failed = {
        server: sum(turns[server].burst.failed for rounds in found.values() for turns in rounds if server in turns)
        for server in (HEADWATER, FRONT)
    }
    behind = {
        str(row.values["kind"]): _number(row.values["ratio"])
        for row in rows
        if row.values["server"] == FRONT
        and row.values["kind"] in (Kind.PART.value, Kind.PLAYLIST.value)
        and row.values["ratio"] is not None
    }
    return (
        Aim("no request fails", f"{sum(failed.values())} failed", None if small else not any(failed.values())),
        Aim(
            f"behind nginx, a CPU second serves at least {FRONT_AIM} of the parts and playlists that files do",
            ", ".join(f"{ratio:.2f} for a {kind}" for kind, ratio in behind.items()) or "nothing to compare with",
            min(behind.values()) >= FRONT_AIM if behind and not small else None,
        ),
    )


def _number(value: Value) -> float:
    assert isinstance(value, int | float)
    return value
