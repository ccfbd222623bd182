"""Runs a section from its command line: measures, prints and saves the result."""

import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from bench.runner.benchmark import Benchmark
from bench.runner.results import save
from bench.runner.terminal import show
from tests.lab.errors import LabError


def main(benchmark: Benchmark, arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code. Everything that was started is stopped, also on SIGTERM."""
    options = benchmark.parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            found = benchmark.run(options, stack)
        if not found.groups:
            raise LabError("; ".join(found.notes) or "the options leave nothing to measure")
        section = benchmark.section(found)
        show(section)
        if benchmark.in_book or options.json is not None:
            save(section, options.json)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
