"""The command line: see ``python -m bench.book --help``."""

import argparse
import sys
from pathlib import Path

from bench.book.document import PLOTS, blocks, render_document, render_section
from bench.book.plots import draw
from bench.runner.results import RESULTS, load
from tests.lab.errors import LabError

DOCS = Path(__file__).parents[2] / "docs"
REMARKS = Path(__file__).parent / "notes"
BOOK = "benchmarks.md"


def write(results: Path, docs: Path, notes: Path = REMARKS) -> Path:
    """Write the book from all results; sections without a result are left unchanged. ``notes`` is the directory of
    hand-written remarks on sections. Raises LabError."""
    docs.mkdir(parents=True, exist_ok=True)
    book = docs / BOOK
    sections = blocks(book.read_text()) if book.exists() else {}
    for path in sorted(results.glob("*.json")):
        section = load(path)
        draw(section, docs / PLOTS)
        remarks = notes / f"{section.name}.md"
        sections[section.name] = render_section(section, remarks.read_text() if remarks.exists() else "")
    if not sections:
        raise LabError(f"{results} has no results: run a section first, such as python -m bench.density")
    book.write_text(render_document(sections))
    return book


def main() -> int:
    parser = argparse.ArgumentParser("bench.book", description="Write docs/benchmarks.md from the results.")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the directory of the results")
    parser.add_argument("--docs", type=Path, default=DOCS, help="where the book goes")
    options = parser.parse_args()
    try:
        print(write(options.results, options.docs))
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
