"""From measurements to the section of the book."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.density.candidates import HEADWATER, NGINX
from bench.density.measure import Measured
from bench.stage.distribution import distribution
from bench.stage.results import Aim, Column, Plot, Row, Section, Series, Table, Value

CPU_AIM, MEMORY_AIM_MIB, FLAT_AIM = 0.7, 12, 1.1
TARDY_MS = 10
MIB = 1 << 20
ABOUT = """\
Publishers of 720p30 H.264 and AAC, to Headwater with `ladder = "source"`, to nginx with the RTMP module, to SRS and
to MediaMTX, turn and turn about. Headwater writes HLS, low-latency HLS and DASH of CMAF segments to its directory
store; nginx-rtmp and SRS write HLS of MPEG-TS segments; MediaMTX makes low-latency HLS, with its segments on the
disk and its playlists in memory. All have segments of 2 s. CPU is the share of one core that a stream takes of all
the server's processes; memory is their proportional set size (PSS) at its peak, less what it was before the first
publisher, for each stream. A segment is late by the time from the publisher's having sent its last frame to its
being in the playlist on the disk.
"""
COLUMNS = (
    Column("publishers", "streams"),
    Column("server", "server"),
    Column("cpu", "CPU", "% of a core", digits=3),
    Column("user", "user", "%", digits=3),
    Column("system", "system", "%", digits=3),
    Column("ratio", "of nginx-rtmp's"),
    Column("memory", "memory", "MiB", digits=2),
    Column("base", "without streams", "MiB", digits=1),
    Column("late_p50", "late p50", "ms", digits=0),
    Column("late_max", "late max", "ms", digits=0),
)
WRITTEN_COLUMNS = (
    Column("publishers", "streams"),
    Column("server", "server"),
    Column("written", "written for a stream", "kB/s", digits=0),
    Column("files", "files at the end"),
)


@dataclass(frozen=True, slots=True)
class Round:
    """What one after the other showed, by the server's name; of one number of publishers."""

    publishers: int
    measured: Mapping[str, Measured]

    def ratio(self, server: str) -> float | None:
        """Its CPU to nginx-rtmp's, where both did their work."""
        own, other = self.measured[server], self.measured.get(NGINX)
        if server == NGINX or other is None or not (own.kept_up and other.kept_up):
            return None
        return own.cpu_share.total / other.cpu_share.total


def section(rounds: Sequence[Round], command: str, row_options: str, notes: Iterable[str], small: bool) -> Section:
    """``row_options`` are the command line's but for the number of publishers; ``small`` runs prove nothing."""
    behind = dict.fromkeys(
        f"{server} did not keep up with {each.publishers} publishers ({len(found.sent.lost)} were cut off): what "
        "it cost there says nothing."
        for each in rounds
        for server, found in each.measured.items()
        if not found.kept_up
    )
    counts = sorted({each.publishers for each in rounds})
    rows = [
        Row(_values(server, [each for each in rounds if each.publishers == count]), _command(count, row_options))
        for count in counts
        for server in rounds[0].measured
    ]
    return Section(
        name="density",
        title="Remux density",
        about=ABOUT,
        command=command,
        tables=(
            Table("What a stream costs", COLUMNS, tuple(rows)),
            Table("What is written", WRITTEN_COLUMNS, tuple(rows)),
        ),
        plots=(
            _plot("cpu", "CPU of a stream", "% of a core", rows),
            _plot("memory", "Memory of a stream", "MiB", rows),
        ),
        aims=_aims(rows, _kept_up(rounds), small) if HEADWATER in rounds[0].measured else (),
        notes=(*notes, *behind, _punctuality(rounds)),
    )


def _kept_up(rounds: Sequence[Round]) -> frozenset[int]:
    """The numbers of publishers that Headwater kept up with in every round; what it cost otherwise says nothing."""
    behind = {each.publishers for each in rounds if not each.measured[HEADWATER].kept_up}
    return frozenset(each.publishers for each in rounds) - behind


def _command(count: int, options: str) -> str:
    return f"python -m bench.density --publishers {count} {options}"


def _values(server: str, rounds: Sequence[Round]) -> dict[str, Value]:
    """Medians over the rounds; of the segments' lateness, of all together."""
    found = [each.measured[server] for each in rounds]
    late = distribution([seconds for each in found for seconds in each.late or ()])
    ratios = [ratio for each in rounds if (ratio := each.ratio(server)) is not None]
    return {
        "publishers": rounds[0].publishers,
        "server": server,
        "cpu": median(100 * each.cpu_share.total for each in found),
        "user": median(100 * each.cpu_share.user for each in found),
        "system": median(100 * each.cpu_share.system for each in found),
        "ratio": median(ratios) if ratios else None,
        "memory": median(each.memory_per_stream / MIB for each in found),
        "base": median(each.base.pss / MIB for each in found),
        "late_p50": late.p50 if late.count else None,
        "late_max": late.max if late.count else None,
        "written": median(each.written / each.seconds / each.publishers / 1000 for each in found),
        "files": ", ".join(f"{count} {suffix or 'others'}" for suffix, count in found[-1].files.items()),
    }


def _punctuality(rounds: Sequence[Round]) -> str:
    """How well the load itself kept its time."""
    late = sum((found.sent.late_ms for each in rounds for found in each.measured.values()), Counter[int]())
    tardy = sum(count for milliseconds, count in late.items() if milliseconds >= TARDY_MS)
    return f"The publishers sent {tardy / late.total():.2%} of their frames {TARDY_MS} ms or more after their time."


def _plot(key: str, title: str, unit: str, rows: Sequence[Row]) -> Plot:
    servers = dict.fromkeys(str(row.values["server"]) for row in rows)
    return Plot(key, title, "streams", unit, tuple(_series(server, key, rows) for server in servers))


def _series(server: str, key: str, rows: Sequence[Row]) -> Series:
    own = [row.values for row in rows if row.values["server"] == server]
    return Series(
        server, tuple(_number(each["publishers"]) for each in own), tuple(_number(each[key]) for each in own)
    )


def _aims(rows: Sequence[Row], kept_up: Collection[int], small: bool) -> tuple[Aim, ...]:
    headwater = [row.values for row in rows if row.values["server"] == HEADWATER]
    own = [values for values in headwater if values["publishers"] in kept_up]
    proves = not small and bool(own)
    own = own or headwater
    ratios = {str(each["publishers"]): _number(each["ratio"]) for each in own if each["ratio"] is not None}
    memory = {str(each["publishers"]): _number(each["memory"]) for each in own}
    growth = _number(own[-1]["cpu"]) / _number(own[0]["cpu"])
    span = f"from {own[0]['publishers']} to {own[-1]['publishers']} streams"
    return (
        Aim(
            f"at most {CPU_AIM} of nginx-rtmp's CPU",
            _each(ratios, "", 2) or "nothing to compare with",
            max(ratios.values()) <= CPU_AIM if proves and ratios else None,
        ),
        Aim(
            f"at most {MEMORY_AIM_MIB} MiB for each stream",
            _each(memory, " MiB", 1),
            max(memory.values()) <= MEMORY_AIM_MIB if proves else None,
        ),
        Aim(
            f"CPU of a stream flat from the fewest streams to the most (at most {FLAT_AIM} times)",
            f"{growth:.2f} times {span}",
            growth <= FLAT_AIM if proves and len(own) > 1 else None,
        ),
    )


def _each(values: Mapping[str, float], unit: str, digits: int) -> str:
    return ", ".join(f"{value:.{digits}f}{unit} at {count}" for count, value in values.items())


def _number(value: Value) -> float:
    assert isinstance(value, int | float)
    return value
