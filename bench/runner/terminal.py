"""Prints a section on the terminal."""

from rich.console import Console
from rich.table import Table as RichTable

from bench.runner.results import Aim, Column, Section, Value

# The width for an output that is not a terminal.
MIN_WIDTH = 130
MET = {True: "met", False: "missed", None: "not known"}


def show(section: Section) -> None:
    console = Console(width=max(Console().width, MIN_WIDTH))
    for table in section.tables:
        drawn = RichTable(title=table.title)
        for column in table.columns:
            drawn.add_column(heading(column), justify="left" if _is_text(table.rows[0].values, column) else "right")
        for row in table.rows:
            drawn.add_row(*(cell_text(row.values.get(column.key), column) for column in table.columns))
        console.print(drawn)
    for aim in section.aims:
        console.print(aim_text(aim))
    for note in section.notes:
        console.print(note)


def heading(column: Column) -> str:
    return f"{column.title} ({column.unit})" if column.unit else column.title


def cell_text(value: Value, column: Column) -> str:
    if value is None:
        return "-"
    return f"{value:.{column.digits}f}" if isinstance(value, float) else str(value)


def aim_text(aim: Aim) -> str:
    return f"aim: {aim.text}; measured: {aim.measured}; {MET[aim.met]}"


def _is_text(values: dict[str, Value], column: Column) -> bool:
    return isinstance(values.get(column.key), str)
