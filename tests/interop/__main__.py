"""The command line: see ``python -m tests.interop --help``."""

import argparse
import sys
import time
from pathlib import Path

from tests.interop.document import FILE, render, summary
from tests.interop.suite import Result, run
from tests.interop.table import rows
from tests.lab.errors import LabError

ROOT = Path(__file__).parents[2]


def main() -> int:
    parser = argparse.ArgumentParser("tests.interop", description=f"Run the interop suite and write {FILE}.")
    parser.add_argument("--only", default="", help="run only rows whose name contains this, and write nothing")
    options = parser.parse_args()
    began = time.monotonic()

    def report(result: Result) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {line_of(result)}", flush=True)

    chosen = [row for row in rows() if options.only in str(row)]
    try:
        results = run(chosen, report)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    print(summary(results))
    for missing in sorted({result.missing for result in results if result.missing}):
        print(f"not installed: {missing}")
    if not options.only:
        (ROOT / FILE).write_text(render(results))
        print(f"written: {FILE}")
    return 0 if all(result.acceptable or result.missing for result in results) else 1


def line_of(result: Result) -> str:
    """A result in one line, and below it what a failed row printed last."""
    if result.missing:
        return f"not installed  {result.row}"
    outcome = result.words or str(result.decoded)
    if result.worked:
        return f"works  {result.row}  {outcome}"
    if result.fault is not None:
        return f"fails by its own fault  {result.row}  {outcome}"
    return f"FAILS  {result.row}  {outcome}\n{result.decoded.log}"


if __name__ == "__main__":
    sys.exit(main())
