"""The two forms of tables: a list with a heading for each column, and facts with a label for each row."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from control.cli.text import clean


def columns(*headings: str, fold: bool = True) -> Table:
    """A table without rows. With ``fold``, no value is cut off."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold" if fold else "ellipsis")
    return table


def facts(rows: Iterable[tuple[str, str]]) -> Table:
    """Labels and values, which may come from peers."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for label, value in rows:
        table.add_row(Text(label, style="bold"), Text(clean(value), overflow="fold"))
    return table
