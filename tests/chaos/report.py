"""The outcome of a run as text, as a table of docs/reliability.md, and as a plot."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from tests.chaos.faults.catalogue import FAULTS
from tests.chaos.run import Blow, Outcome

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
PLOT = DOCUMENT.parent / "reliability" / "stalls.svg"
BEGIN, END = "<!-- run -->", "<!-- end: run -->"
# The plot, in pixels.
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 960, 420, 46, 130, 40
COLOURS = {"strict client": "#1f77b4", "hls.js": "#ff7f0e", "dash.js": "#2ca02c"}


def as_text(outcome: Outcome) -> str:
    """For a terminal."""
    lines = ["", "| fault | times | strict | hls.js | dash.js | others | limit |", *_rows(outcome.blows)]
    lines += [
        "",
        *_notes(outcome),
        "",
        *(f"FAILED: {text}" for text in outcome.failures),
        "passed" if not outcome.failures else f"{len(outcome.failures)} failures",
    ]
    return "\n".join(lines)


def _rows(blows: Sequence[Blow]) -> Iterator[str]:
    for name, fault in FAULTS.items():
        found = [blow for blow in blows if blow.fault == name]
        if not found:
            continue
        cells = [
            f"`{name}`",
            str(len(found)),
            _longest(blow.strict for blow in found),
            _longest(blow.hls for blow in found),
            _longest(blow.dash for blow in found),
            _longest(None if fault.everywhere else blow.others for blow in found),
            f"{fault.limit_s:.1f}",
        ]
        yield "| " + " | ".join(cells) + " |"


def _longest(lengths: Iterable[float | None]) -> str:
    known = [length for length in lengths if length is not None]
    return f"{max(known):.1f}" if known else ""


def _notes(outcome: Outcome) -> Iterator[str]:
    yield (
        f"{len(outcome.blows)} faults on {outcome.streams} streams, seed {outcome.seed}. The strict clients got "
        f"{outcome.parts} parts and {outcome.segments} segments. {outcome.recordings} recordings were read; "
        f"{outcome.compared} of their segments have the bytes that a viewer got, {outcome.gaps} are gaps."
    )
    if outcome.down_s:
        shown = ", ".join(f"{seconds:.1f}" for seconds in outcome.down_s)
        yield f"Seconds from a kill to the next server's start: {shown}."
    for text, count in sorted(outcome.waits.items()):
        yield f"Allowed wait, {count} times: {text}."
    if outcome.early is not None and outcome.late is not None:
        early, late = outcome.early, outcome.late
        yield (
            f"The last process after its first minute, and after all streams had ended: memory "
            f"{early.memory >> 20} and {late.memory >> 20} MiB, descriptors {early.descriptors} and "
            f"{late.descriptors}, threads {early.threads} and {late.threads}, children {early.children} and "
            f"{late.children}, series of metrics {early.series} and {late.series}."
        )


def write(outcome: Outcome, arguments: str) -> None:
    """Replace the block of figures in the document, and the plot."""
    PLOT.parent.mkdir(exist_ok=True)
    PLOT.write_text(plot(outcome))
    table = [
        "| fault | times | strict client | hls.js | dash.js | other streams | limit |",
        "|---|--:|--:|--:|--:|--:|--:|",
        *_rows(outcome.blows),
    ]
    block = [
        f'`make chaos ARGS="{arguments}"`, {outcome.seconds / 60:g} minutes of faults:',
        "",
        *table,
        "",
        "\n".join(f"- {note}" for note in _notes(outcome)),
        "",
        "What failed:" if outcome.failures else "Nothing failed.",
        "",
        "\n".join(f"- {text}" for text in outcome.failures),
        "",
        "![Stalls and faults over time](reliability/stalls.svg)",
    ]
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    shown = "\n".join(block).replace("\n\n\n", "\n\n")
    DOCUMENT.write_text(f"{before}{BEGIN}\n{shown}\n{END}{after}")


def plot(outcome: Outcome) -> str:
    """Stalls as bars, and faults as lines, over time: SVG."""
    seconds = max([blow.until for blow in outcome.blows], default=1.0)
    top = max([8.0, *(length for _, length, _ in outcome.stalls)])
    floor = HEIGHT - BOTTOM

    def x(at: float) -> float:
        return LEFT + max(0.0, at) / seconds * (WIDTH - LEFT - 10)

    def y(length: float) -> float:
        return floor - length / top * (floor - TOP)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for tick in range(0, int(top) + 1, 2):
        lines.append(f'<path d="M{LEFT} {y(tick):.1f}H{WIDTH - 10}" stroke="#ddd"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick} s</text>')
    for minute in range(int(seconds // 60) + 1):
        lines.append(f'<text x="{x(60 * minute):.1f}" y="{floor + 16}" text-anchor="middle">{minute} min</text>')
    for blow in outcome.blows:
        at = x(blow.began)
        lines.append(f'<path d="M{at:.1f} {TOP}V{floor}" stroke="#bbb" stroke-dasharray="2 3"/>')
        lines.append(f'<text transform="translate({at + 3:.1f} {TOP - 4}) rotate(-60)">{escape(blow.fault)}</text>')
    for at, length, client in outcome.stalls:
        if at < 0:
            continue
        place = x(at) + list(COLOURS).index(client) * 3
        lines.append(
            f'<path d="M{place:.1f} {floor}V{y(length):.1f}" stroke="{COLOURS[client]}" stroke-width="2"/>'
        )
    for place, (client, colour) in enumerate(COLOURS.items()):
        left = LEFT + 130 * place
        lines.append(f'<rect x="{left}" y="{HEIGHT - 14}" width="10" height="10" fill="{colour}"/>')
        lines.append(f'<text x="{left + 14}" y="{HEIGHT - 5}">{client}</text>')
    return "\n".join([*lines, "</svg>", ""])
