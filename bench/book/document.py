"""The book's text: one block per section, between two comments that identify it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile

from bench.runner.results import Aim, Row, Section, Table
from bench.runner.terminal import MET, cell_text, heading

PLOTS = "benchmarks"
ORDER = ("density", "ladder", "delay", "origin", "store", "startup", "growth")
BLOCK = re.compile(r"<!-- section: (\S+) -->\n(.*?)\n<!-- end: \1 -->", re.DOTALL)
OPENING = """\
# Benchmarks

`make bench` runs all benchmarks and writes this page; `make bench SECTION=density` does so for one section and
leaves the others unchanged. The command beside each figure repeats its measurement; `python` is the one in
`.venv`, after `make .venv/.bench`. Servers that are compared took turns on one machine, in one run, under the same
load: compare the ratios, because the absolute figures depend on the machine.
"""
AIMS = "| aim | measured |  |\n| --- | --- | --- |"
ALL_AIMS = "| section | aim | measured |  |\n| --- | --- | --- | --- |"


def blocks(document: str) -> dict[str, str]:
    """The sections of an existing book, by name."""
    return {name: text for name, text in BLOCK.findall(document)}


def render_document(sections: Mapping[str, str]) -> str:
    """The whole book, from the sections' texts."""
    known = [name for name in ORDER if name in sections]
    names = (*known, *sorted(sections.keys() - set(known)))
    aims = "\n".join((ALL_AIMS, *_all_aims(sections[name] for name in names)))
    return "\n".join((OPENING, aims, "", *(_marked(name, sections[name]) for name in names)))


def render_section(section: Section, remarks: str = "") -> str:
    """A section's text. ``remarks`` are hand-written Markdown."""
    parts = [
        f"## {section.title}",
        section.about.strip(),
        _aims(section.aims),
        *(f"### {table.title}\n\n{_table(table)}" for table in section.tables),
        "\n".join(f"![{plot.title}]({PLOTS}/{section.name}-{plot.name}.svg)" for plot in section.plots),
        "\n".join(f"- {note}" for note in section.notes),
        remarks.strip(),
        _taken(section),
    ]
    return "\n\n".join(filter(None, parts))


def _all_aims(texts: Iterable[str]) -> Iterator[str]:
    """The aims of all sections as table rows; the first row of each section links to it."""
    for text in texts:
        title = text.partition("\n")[0].removeprefix("## ")
        way = f"[{title}](#{title.lower().replace(' ', '-')})"
        rest = text.partition(f"{AIMS}\n")[2]
        for row in takewhile(lambda line: line.startswith("|"), rest.splitlines()):
            yield f"| {way} {row}"
            way = ""


def _marked(name: str, text: str) -> str:
    return f"<!-- section: {name} -->\n{text}\n<!-- end: {name} -->\n"


def _aims(aims: Iterable[Aim]) -> str:
    lines = [_line((aim.text, aim.measured, MET[aim.met])) for aim in aims]
    return "\n".join((AIMS, *lines)) if lines else ""


def _table(table: Table) -> str:
    """Numbers are right-aligned; each row ends with its command."""
    titles = (*map(heading, table.columns), "command")
    words = [any(isinstance(row.values.get(column.key), str) for row in table.rows) for column in table.columns]
    rules = (*("---" if is_word else "--:" for is_word in words), "---")
    return "\n".join((_line(titles), _line(rules), *(_line(_cells(table, row)) for row in table.rows)))


def _cells(table: Table, row: Row) -> tuple[str, ...]:
    values = (cell_text(row.values.get(column.key), column) for column in table.columns)
    return (*values, f"`{row.command}`")


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _taken(section: Section) -> str:
    machine = ", ".join(f"{what} {words}" for what, words in section.machine.items())
    return f"Taken {section.taken[:10]} by `{section.command}`. Machine: {machine}."
