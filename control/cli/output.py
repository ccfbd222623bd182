"""The output of commands: JSON for programs, tables and short lines for people, errors on standard error."""

import json
import sys
from typing import Any

from rich.console import Console, RenderableType

# The width of piped tables, so that they are not wrapped at 80 columns.
WIDTH_WHEN_PIPED = 200


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def console() -> Console:
    """The console for standard output. Text from peers is passed as ``rich.text.Text``, never as markup."""
    probe = Console()
    return probe if probe.is_terminal else Console(width=WIDTH_WHEN_PIPED)


def show(*renderables: RenderableType) -> None:
    output = console()
    for renderable in renderables:
        output.print(renderable, markup=False, highlight=False, emoji=False)


def print_error(text: str) -> None:
    print(f"headwater: {text}", file=sys.stderr)
