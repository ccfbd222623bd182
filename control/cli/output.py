"""The output of commands: JSON for programs, tables and short lines for people, errors on standard error."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

# The width of piped tables, so that they are not wrapped at 80 columns.
WIDTH_WHEN_PIPED = 200


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def print_json_line(value: Any) -> None:
    """For a program that reads line by line."""
    print(json.dumps(value), flush=True)


def print_done(value: Any, sentence: str, *, json_output: bool) -> None:
    """What a command did: ``value`` for programs, ``sentence`` for people."""
    if json_output:
        print_json(value)
    else:
        show(Text(sentence))


def console() -> Console:
    """The console for standard output. Text from peers is passed as ``rich.text.Text``, never as markup."""
    probe = Console()
    return probe if probe.is_terminal else Console(width=WIDTH_WHEN_PIPED)


def show(*renderables: RenderableType) -> None:
    output = console()
    for renderable in renderables:
        output.print(renderable, markup=False, highlight=False, emoji=False)


@contextlib.contextmanager
def until_stopped() -> Iterator[None]:
    """For output without an end: Ctrl-C, and the end of the pipe's reader, end the block."""
    try:
        yield
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # Python would fail again when it flushes the output at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_error(text: str, *, code: str, json_output: bool) -> None:
    """With ``json_output``, one line of JSON: ``{"error": {"code": …, "text": …}}``."""
    line = json.dumps({"error": {"code": code, "text": text}}) if json_output else f"headwater: {text}"
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr)


def print_usage_error(text: str, call: str, *, json_output: bool) -> None:
    """``call`` is the command as it is written, for people alone."""
    print_error(text, code="usage", json_output=json_output)
    if not json_output:
        with contextlib.suppress(OSError):
            print(f"Usage: {call}; see --help", file=sys.stderr)
