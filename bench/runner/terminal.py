"""A section on the terminal."""

from rich.console import Console
from rich.table import Table as RichTable

from bench.runner.results import Aim, Column, Section, Value

# Where the output is no terminal, its width is not known.
MIN_WIDTH = 130
MET = {True: "met", False: "missed", None: "not known"}


def show(section: Section) -> None:
    console = Console(width=max(Console().width, MIN_WIDTH))
    for table in section.tables:
        drawn = RichTable(title=table.title)
        for column in table.columns:
            drawn.add_column(heading(column), justify="left" if _words(table.rows[0].values, column) else "right")
        for row in table.rows:
            drawn.add_row(*(shown(row.values.get(column.key), column) for column in table.columns))
        console.print(drawn)
    for aim in section.aims:
        console.print(said(aim))
    for note in section.notes:
        console.print(note)


def heading(column: Column) -> str:
    return f"{column.title} ({column.unit})" if column.unit else column.title


def shown(value: Value, column: Column) -> str:
    if value is None:
        return "-"
    return f"{value:.{column.digits}f}" if isinstance(value, float) else str(value)


def said(aim: Aim) -> str:
    return f"aim: {aim.text}; measured: {aim.measured}; {MET[aim.met]}"


def _words(values: dict[str, Value], column: Column) -> bool:
    return isinstance(values.get(column.key), str)
