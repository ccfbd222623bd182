"""A section's result, which the runner writes to bench/results/SECTION.json and the book reads.

Each row has the command that repeats it. A None value is shown as a dash. :class:`Section` itself adds the machine
and the time. Hand-written remarks on a section (why an aim is missed, what a profile showed) are Markdown in
bench/book/notes/SECTION.md, which the book puts below the tables.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from bench.machine import machine
from tests.lab.errors import LabError

RESULTS = Path(__file__).parents[1] / "results"

Value = int | float | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """``key`` is the value's key in a row; ``digits`` is the number of decimal places of a float."""

    key: str
    title: str
    unit: str = ""
    digits: int = 2


@dataclass(frozen=True, slots=True)
class Row:
    values: dict[str, Value]
    command: str


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """The points of a line, or in a bar plot one bar per value of ``x``, which may then be numbers or words."""

    name: str
    x: tuple[int | float | str, ...]
    y: tuple[int | float, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """``name`` is part of the file name: docs/benchmarks/SECTION-NAME.svg."""

    name: str
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    kind: Literal["lines", "bars"] = "lines"
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True, slots=True)
class Aim:
    """``met`` is None if the run cannot decide it (too short, or a peer is missing)."""

    text: str
    measured: str
    met: bool | None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    title: str
    about: str
    command: str
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...] = ()
    aims: tuple[Aim, ...] = ()
    notes: tuple[str, ...] = ()
    machine: dict[str, str] = field(default_factory=machine)
    taken: str = field(default_factory=_now)


SECTION = TypeAdapter(Section)


def save(section: Section, path: Path | None = None) -> Path:
    """Save to ``path``, by default to the file that the book reads."""
    path = path or RESULTS / f"{section.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(SECTION.dump_json(section, indent=2) + b"\n")
    return path


def load(path: Path) -> Section:
    """Raises LabError."""
    try:
        return SECTION.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise LabError(f"{path} cannot be read by this version: run the section again") from error
