"""From measurements to the section of the book."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from bench.stage.distribution import distribution
from bench.stage.results import Aim, Column, Plot, Row, Section, Series, Table, Value
from bench.store.candidates import OURS, PRESIGNED, SDK
from bench.store.measure import PARALLEL, Kind, Turn
from bench.store.outage import TRACKS, Outage

# Of the SDK's CPU, and seconds: an upload that failed is tried again after 8 at the latest.
SDK_AIM, DRAIN_AIM_S = 1.0, 10.0
ABOUT = f"""\
Objects as a broadcast's upload queue puts them: {PARALLEL} at once, from one event loop. Headwater's S3 store, the
boto3 client that it has for all but plain PUTs, MinIO's own client, and a PUT to a URL that was signed before (no
body is hashed: the price of HTTP alone) took turns at one MinIO server on this machine; so did the directory store
with and without fsync at its disk. CPU is of the process that puts, user and system; the server's own is not
counted, but it runs on the same cores.

In the outage, MinIO is stopped while a broadcast with a ladder of {len(TRACKS)} tracks goes on, and started again
later. It is over for the broadcast once every segment that was waiting when the server answered again is stored.
"""
COLUMNS = (
    Column("what", "object"),
    Column("who", "by"),
    Column("cpu", "CPU", "ms", digits=3),
    Column("ratio", "of the minio SDK's"),
    Column("floor", "of a presigned PUT's"),
    Column("wall", "time for each", "ms", digits=2),
    Column("p50", "on its way p50", "ms", digits=1),
    Column("p99", "p99", "ms", digits=1),
)
OUTAGE_COLUMNS = (
    Column("away", "store away", "s", digits=1),
    Column("segments", "segments waiting"),
    Column("waiting", "waiting", "MB", digits=1),
    Column("drained", "all stored after", "s"),
    Column("share", "of the outage"),
    Column("lost", "segments lost"),
)

Turns = Mapping[Kind, Mapping[str, Sequence[Turn]]]


def section(
    turns: Turns, outages: Sequence[Outage], command: str, row_options: str, notes: Iterable[str], small: bool
) -> Section:
    """``row_options`` are the command line's for one row; ``small`` runs prove nothing."""
    rows = [
        Row(_values(kind, who, by_name), f"python -m bench.store --no-outage {row_options}")
        for kind, by_name in turns.items()
        for who in by_name
    ]
    tables = [Table("What an object costs", COLUMNS, tuple(rows))] if rows else []
    if outages:
        tables.append(Table("After an outage", OUTAGE_COLUMNS, tuple(_outage_row(each) for each in outages)))
    return Section(
        name="store",
        title="Store",
        about=ABOUT,
        command=command,
        tables=tuple(tables),
        plots=(_plot(turns),) if turns else (),
        aims=(*_cpu_aims(turns, not small), *_drain_aims(outages, not small)),
        notes=tuple(notes),
    )


def cpu_ms(turns: Sequence[Turn]) -> float:
    """Of one object; the median over the turns."""
    return median(1000 * turn.cpu / turn.objects for turn in turns)


def ratio(by_name: Mapping[str, Sequence[Turn]], who: str, other: str) -> float | None:
    """CPU against another's, turn by turn; the median. None where it did not take part."""
    if who not in by_name or other not in by_name:
        return None
    pairs = zip(by_name[who], by_name[other], strict=True)
    return median((own.cpu / own.objects) / (its.cpu / its.objects) for own, its in pairs)


def _values(kind: Kind, who: str, by_name: Mapping[str, Sequence[Turn]]) -> dict[str, Value]:
    turns = by_name[who]
    way = distribution([seconds for turn in turns for seconds in turn.each])
    return {
        "what": kind.name,
        "who": who,
        "cpu": cpu_ms(turns),
        "ratio": ratio(by_name, who, SDK) if who != SDK else None,
        "floor": ratio(by_name, who, PRESIGNED) if who != PRESIGNED else None,
        "wall": median(1000 * turn.seconds / turn.objects for turn in turns),
        "p50": way.p50,
        "p99": way.p99,
    }


def _outage_row(each: Outage) -> Row:
    values: dict[str, Value] = {
        "away": each.away,
        "segments": each.segments,
        "waiting": each.waiting / 1e6,
        "drained": each.drained,
        "share": each.drained / each.away,
        "lost": each.lost,
    }
    return Row(values, f"python -m bench.store --objects 0 --outage {each.away:.0f}")


def _plot(turns: Turns) -> Plot:
    names = dict.fromkeys(who for by_name in turns.values() for who in by_name)
    series = tuple(
        Series(
            who,
            tuple(kind.name for kind in turns if who in turns[kind]),
            tuple(cpu_ms(by_name[who]) for by_name in turns.values() if who in by_name),
        )
        for who in names
    )
    return Plot("cpu", "CPU of an object", "", "ms", series, kind="bars")


def _cpu_aims(turns: Turns, proves: bool) -> tuple[Aim, ...]:
    ratios = {kind.name: ratio(by_name, OURS, SDK) for kind, by_name in turns.items()}
    known = {name: value for name, value in ratios.items() if value is not None}
    if not known:
        return ()
    met = max(known.values()) <= SDK_AIM if proves else None
    said = ", ".join(f"{value:.2f} for a {name}" for name, value in known.items())
    return (Aim("the S3 store takes no more CPU than the minio SDK", said, met),)


def _drain_aims(outages: Sequence[Outage], proves: bool) -> tuple[Aim, ...]:
    if not outages:
        return ()
    said = ", ".join(f"{each.drained:.1f} s after {each.away:.0f} s" for each in outages)
    good = all(not each.lost and each.drained <= DRAIN_AIM_S for each in outages)
    text = f"a backlog is stored within {DRAIN_AIM_S:g} s of the store's return, with nothing lost"
    return (Aim(text, said, good if proves else None),)
