"""From measurements to the section of the book."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.delay.candidates import HEADWATER, SOURCE
from bench.delay.measure import Delays, Measured
from bench.stage.distribution import distribution
from bench.stage.results import Aim, Column, Plot, Row, Section, Series, Table, Value

FIRST_BYTE_AIM_MS = 30
TARDY_MS = 10
ABOUT = """\
Publishers of 720p30 H.264 (4 Mbit/s) and AAC, and viewers of low-latency HLS, each with a blocking playlist reload
and a request for the hinted part open. The delay of a part is from its last frame having been written to the
publisher's socket to its first and to its last byte at the viewer, and to the last byte of the playlist that names
it. Up to four of the streams are watched, every rendition of each. Parts are of 333 ms. Publishers, server and
viewers share this machine's processors. MediaMTX leaves out what comes before a broadcast's second keyframe; its
parts are counted from the latest keyframe that they can begin with.
"""
CASE = (Column("streams", "streams"), Column("server", "server"), Column("rendition", "rendition"))
COLUMNS = (
    *CASE,
    Column("parts", "parts"),
    Column("first_p50", "first byte p50", "ms", digits=1),
    Column("first_p99", "p99", "ms", digits=1),
    Column("first_p999", "p99.9", "ms", digits=1),
    Column("last_p50", "last byte p50", "ms", digits=1),
    Column("last_p99", "p99", "ms", digits=1),
    Column("last_p999", "p99.9", "ms", digits=1),
    Column("missing", "missing"),
)
PLAYLIST_COLUMNS = (
    *CASE,
    Column("named_p50", "p50", "ms", digits=1),
    Column("named_p99", "p99", "ms", digits=1),
    Column("named_p999", "p99.9", "ms", digits=1),
)


@dataclass(frozen=True, slots=True)
class Round:
    """One server's turn; ``option`` is what names its number of streams on the command line."""

    streams: int
    server: str
    option: str
    measured: Measured


def section(rounds: Sequence[Round], command: str, row_options: str, notes: Iterable[str], small: bool) -> Section:
    """``row_options`` are the command line's but for the number of streams; ``small`` runs prove nothing."""
    cases = dict.fromkeys((each.streams, each.server) for each in rounds)
    rows = [row for case in cases for row in _rows([each for each in rounds if _case(each) == case], row_options)]
    return Section(
        name="delay",
        title="Delay of a part",
        about=ABOUT,
        command=command,
        tables=(
            Table("From a part's last frame to the part", COLUMNS, tuple(rows)),
            Table("From a part's last frame to the playlist that names it", PLAYLIST_COLUMNS, tuple(rows)),
        ),
        plots=(_plot(rows),),
        aims=_aims(rows, small),
        notes=(*notes, *_errors(rounds), _viewers(rounds), _punctuality(rounds)),
    )


def _case(each: Round) -> tuple[int, str]:
    return each.streams, each.server


def _rows(rounds: Sequence[Round], row_options: str) -> Iterable[Row]:
    """One for each rendition, of all rounds together."""
    first = rounds[0]
    for rendition in dict.fromkeys(name for each in rounds for name in each.measured.delays):
        found = sum((each.measured.delays.get(rendition, Delays()) for each in rounds), Delays())
        values: dict[str, Value] = {"streams": first.streams, "server": first.server, "rendition": rendition}
        command = f"python -m bench.delay {first.option} {first.streams} {row_options}"
        yield Row({**values, **_values(found)}, command)


def _values(delays: Delays) -> dict[str, Value]:
    first, last = distribution(delays.first_byte), distribution(delays.last_byte)
    named = distribution(delays.named)
    return {
        "parts": first.count,
        "first_p50": first.p50,
        "first_p99": first.p99,
        "first_p999": first.p999,
        "last_p50": last.p50,
        "last_p99": last.p99,
        "last_p999": last.p999,
        "named_p50": named.p50,
        "named_p99": named.p99,
        "named_p999": named.p999,
        "missing": delays.missing,
    }


def _plot(rows: Sequence[Row]) -> Plot:
    series = []
    for place, key in (("first byte, p50", "first_p50"), ("first byte, p99", "first_p99")):
        names = tuple(f"{row.values['server']}\n{row.values['rendition']}, {row.values['streams']}" for row in rows)
        series.append(Series(place, names, tuple(_number(row.values[key]) for row in rows)))
    title = "From a part's last frame to its first byte"
    return Plot("first-byte", title, "rendition, streams", "ms", tuple(series), "bars")


def _aims(rows: Sequence[Row], small: bool) -> tuple[Aim, ...]:
    own = [row.values for row in rows if (row.values["server"], row.values["rendition"]) == (HEADWATER, SOURCE)]
    if not own:
        return ()
    worst = {str(each["streams"]): _number(each["first_p99"]) for each in own}
    return (
        Aim(
            f"source rendition at most {FIRST_BYTE_AIM_MS} ms p99 to the first byte",
            ", ".join(f"{value:.1f} ms at {streams}" for streams, value in worst.items()),
            None if small else max(worst.values()) <= FIRST_BYTE_AIM_MS,
        ),
    )


def _errors(rounds: Sequence[Round]) -> Iterable[str]:
    for each in rounds:
        if each.measured.errors:
            told = ", ".join(f"{what} ({count})" for what, count in each.measured.errors.items())
            yield f"{each.server}'s viewers met errors at {each.streams} streams: {told}."


def _viewers(rounds: Sequence[Round]) -> str:
    """What the viewers themselves may add."""
    lag = distribution([seconds for each in rounds for seconds in each.measured.lag])
    busiest = max(each.measured.viewers_cpu for each in rounds)
    return (
        f"The viewers' own event loop was late by {lag.p50} ms p50, {lag.p99} ms p99; they took up to "
        f"{busiest:.1%} of a core."
    )


def _punctuality(rounds: Sequence[Round]) -> str:
    """How well the load itself kept its time."""
    late = sum((each.measured.sent.late_ms for each in rounds), Counter[int]())
    tardy = sum(count for milliseconds, count in late.items() if milliseconds >= TARDY_MS)
    return f"The publishers sent {tardy / late.total():.2%} of their frames {TARDY_MS} ms or more after their time."


def _number(value: Value) -> float:
    assert isinstance(value, int | float)
    return value
