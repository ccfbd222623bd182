"""What the command lines of all sections have in common."""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from bench.stage.results import Section, save
from bench.stage.tables import show
from tests.lab.errors import LabError


def add_common(parser: argparse.ArgumentParser, *, smoke: str) -> None:
    """``--smoke``, which does what ``smoke`` says, and ``--json``."""
    parser.add_argument("--smoke", action="store_true", help=f"{smoke}: only proves that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the result goes instead of bench/results")


def carry_out(run: Callable[[argparse.Namespace], Section], options: argparse.Namespace) -> int:
    """Show and keep what ``run`` finds; the exit code. What was started is ended, whichever way this ends."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        found = run(options)
        show(found)
        save(found, options.json)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
