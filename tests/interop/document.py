"""docs/interop.md, from the results of a run."""

from collections.abc import Iterable, Iterator, Sequence

from tests.interop.outcome import CASES, FPS, LIVE_S, PUBLISHED_S, RECORDING_S, Case, Kind
from tests.interop.suite import Result
from tests.interop.table import FAULTS, PUBLISHERS, READERS, PublisherRow, ReaderRow

FILE = "docs/interop.md"
OPENING = f"""\
# Interoperability

Other programs publish to one Headwater server and read from it. `make interop` installs them (from Debian, PyPI,
npm and the Go proxy), runs all rows and writes this page; CI runs the same rows with every change. A cell is what
was really decoded: the number of pictures, at {FPS} per second, and the seconds of sound.
"""
PUBLISHING = f"""\
## Publishers

Each publishes {PUBLISHED_S:g} seconds, and ffmpeg decodes the recording. nginx gets {RECORDING_S:g}, because it
begins with the second keyframe. A codec that Headwater does not carry is refused: the connection ends, the reason
is in the server's log, and a publisher that connects again gets it as its error message.
"""
READING = f"""\
## Readers

The source is 640x360 with AAC. *Live* and *low latency* are two broadcasts with playlists of 20 seconds; each
reader joins after their first segments have left. *Live* has a second, smaller rendition. The recording has
{RECORDING_S:g} seconds. A live reader stops after about {LIVE_S:g}, a player in the browser earlier.

Programs run without a screen. The players run in Chromium, on a page of another origin than the media's. Chromium
counts the pictures, and an audio worklet the samples that are not silent. *Behind* is the player's own measurement.
A program without support for low latency plays the same low-latency address as an ordinary one. A cell is empty if
the reader does not read the format.
"""
FAILING = """\
## Readers that fail by their own fault
"""


def render(results: Iterable[Result]) -> str:
    """The whole page. ``results`` are those of all rows."""
    found = list(results)
    publishers = {each.row.publisher.name: each for each in found if isinstance(each.row, PublisherRow)}
    readers = {(each.row.reader.name, each.row.case): each for each in found if isinstance(each.row, ReaderRow)}
    return "\n".join(
        (OPENING, PUBLISHING, *_publishers(publishers), "", READING, *_readers(readers), "", *_faults())
    )


def _publishers(results: dict[str, Result]) -> Iterator[str]:
    yield _line("publisher", "version", "codecs", "decoded")
    yield _rule(4)
    for publisher in PUBLISHERS:
        result = results[publisher.name]
        outcome = f"refused in words: {result.words}" if result.words else _decoded(result)
        yield _line(publisher.name.partition(",")[0], _version(result), publisher.codecs, outcome)


def _readers(results: dict[tuple[str, Case], Result]) -> Iterator[str]:
    yield _line("reader", "version", *map(str, CASES))
    yield _rule(2 + len(CASES))
    for reader in READERS:
        cells = [results.get((reader.name, case)) for case in CASES]
        version = next(_version(cell) for cell in cells if cell is not None)
        yield _line(reader.name, version, *("" if cell is None else _cell(cell) for cell in cells))


def _cell(result: Result) -> str:
    row = result.row
    text = _decoded(result)
    behind = result.decoded.behind_s
    if result.worked and behind is not None and isinstance(row, ReaderRow) and row.case.kind is Kind.LOW_LATENCY:
        text += f", {behind:.1f} s behind"
    if isinstance(row, ReaderRow) and result.fault is not None:
        text += f" [{_number(row)}](#readers-that-fail-by-their-own-fault)"
    return text


def _decoded(result: Result) -> str:
    if result.missing:
        return "not installed"
    return str(result.decoded) if result.worked else f"**fails**: {result.decoded}"


def _version(result: Result) -> str:
    subject = result.row.reader if isinstance(result.row, ReaderRow) else result.row.publisher
    return "" if result.missing else subject.version()


def _number(row: ReaderRow) -> int:
    return 1 + list(FAULTS).index((row.reader.name, row.case))


def _faults() -> Iterator[str]:
    yield FAILING
    for number, ((reader, case), fault) in enumerate(FAULTS.items(), 1):
        yield f"{number}. {reader}, {case}. {fault.text} Clause: {fault.clause}."
    yield ""


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(columns: int) -> str:
    return _line(*["---"] * columns)


def summary(results: Sequence[Result]) -> str:
    """One line: how many rows worked."""
    worked = sum(result.worked for result in results)
    missing = sum(result.missing is not None for result in results)
    known = sum(result.acceptable and not result.worked for result in results)
    failed = len(results) - worked - missing - known
    return f"{worked} rows work, {known} fail by the reader's own fault, {missing} are not installed, {failed} fail"
