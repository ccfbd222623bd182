"""What a section declares: its options, its cases with their candidates, and its tables, plots and aims.

BENCHMARK = Benchmark(
    name="density",                               # of its package, and of its result's file
    title="Remux density",
    about="Markdown: what was compared with what.",
    description="the first line of --help",
    options=(Option("--publishers", (10, 50), listed(count()), "such as 10,50", smoke=(2,)), ...),
    cases=cases,                                  # yields each Case, with a function for each candidate
    tables=(TableSpec("CPU", (figure("cpu", "CPU", "%", of=lambda group: group.median(cpu)),)),),
)
"""

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import groupby
from statistics import median
from typing import Any

from bench.runner.options import Option, command_line, parse_options
from bench.runner.results import Aim, Column, Plot, Row, Section, Series, Table, Value


@dataclass(frozen=True, slots=True)
class Case:
    """The ``candidates`` are measured in turn, ``rounds`` times: each is called with the number of the round and
    returns its measurement, whose ``str`` is printed. ``kind`` selects the tables that show the case; ``command``
    repeats only this case."""

    key: Any
    command: str
    candidates: Mapping[str, Callable[[int], Any]]
    rounds: int = 1
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The ``turns`` of one candidate in one case; ``all_turns`` has the turns of every candidate, by name."""

    case: Case
    candidate: str
    all_turns: Mapping[str, Sequence[Any]]

    @property
    def turns(self) -> Sequence[Any]:
        return self.all_turns[self.candidate]

    def median(self, of: Callable[[Any], float | None]) -> float | None:
        """The median over the turns; None if no turn has a value."""
        known = [value for turn in self.turns if (value := of(turn)) is not None]
        return median(known) if known else None

    def ratio(self, to: str, of: Callable[[Any], float | None]) -> float | None:
        """The median of the turn-by-turn ratios to the candidate ``to``; None if that did not take part. A turn in
        which either has no value does not count."""
        if self.candidate == to or to not in self.all_turns:
            return None
        pairs = ((of(own), of(other)) for own, other in zip(self.turns, self.all_turns[to], strict=True))
        ratios = [own / other for own, other in pairs if own is not None and other]
        return median(ratios) if ratios else None


@dataclass(frozen=True, slots=True)
class Run:
    """A run in progress: ``stack`` closes when the run ends, ``notes`` state what is missing."""

    options: argparse.Namespace
    stack: ExitStack
    notes: list[str]
    _declared: Sequence[Option]
    _name: str

    def command(self, **changed: Any) -> str:
        return command_line(self._name, self._declared, self.options, **changed)


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that a run measured."""

    groups: tuple[Group, ...]
    options: argparse.Namespace
    notes: tuple[str, ...] = ()
    rows: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)

    def of(self, kind: str) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.case.kind == kind)

    def values(self, table: str) -> list[dict[str, Value]]:
        """The rows of the table with this title."""
        return [row.values for row in self.rows.get(table, ())]


@dataclass(frozen=True, slots=True)
class Figure:
    """A column, and the function that computes its value for a row."""

    column: Column
    of: Callable[[Any], Value]


def figure(key: str, title: str, unit: str = "", *, digits: int = 2, of: Callable[[Any], Value]) -> Figure:
    return Figure(Column(key, title, unit, digits), of)


def _whole(group: Group) -> Iterable[Any]:
    return (group,)


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One row per group of the cases of ``kind``, or per item into which ``split`` divides a group. The rows of one
    case are in the candidates' order, or sorted by the key ``order``."""

    title: str
    figures: tuple[Figure, ...]
    kind: str = ""
    split: Callable[[Group], Iterable[Any]] = _whole
    order: Callable[[Any], Any] = lambda item: 0

    def fill(self, findings: Findings) -> tuple[Row, ...]:
        rows: list[Row] = []
        for case, groups in groupby(findings.of(self.kind), key=lambda group: group.case):
            items = sorted((item for group in groups for item in self.split(group)), key=self.order)
            rows += [Row({each.column.key: each.of(item) for each in self.figures}, case.command) for item in items]
        return tuple(rows)


def _empty(findings: Findings) -> Iterable[Any]:
    return ()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """``cases`` may start servers that all cases share, in the run's stack. ``prepare`` adjusts the parsed options.
    A result that is not ``in_book`` is saved only with ``--json``."""

    name: str
    title: str
    about: str
    description: str
    options: tuple[Option, ...]
    cases: Callable[[Run], Iterator[Case]]
    tables: tuple[TableSpec, ...]
    plots: Callable[[Findings], Iterable[Plot]] = _empty
    aims: Callable[[Findings], Iterable[Aim]] = _empty
    notes: Callable[[Findings], Iterable[str]] = _empty
    prepare: Callable[[argparse.Namespace], None] = lambda options: None
    in_book: bool = True

    def parse(self, arguments: Sequence[str] | None = None) -> argparse.Namespace:
        options = parse_options(self.name, self.description, self.options, arguments)
        self.prepare(options)
        return options

    def run(self, options: argparse.Namespace, stack: ExitStack) -> Findings:
        """Raises LabError."""
        run = Run(options, stack, [], self.options, self.name)
        groups = tuple(group for case in self.cases(run) for group in take_turns(case))
        return Findings(groups, options, tuple(run.notes))

    def section(self, findings: Findings) -> Section:
        """The result for the book. A smoke run is too short to judge its aims, so they are neither met nor
        missed."""
        rows = {spec.title: spec.fill(findings) for spec in self.tables}
        found = replace(findings, rows=rows)
        aims = tuple(self.aims(found))
        return Section(
            name=self.name,
            title=self.title,
            about=self.about,
            command=command_line(self.name, self.options, findings.options),
            tables=tuple(
                Table(spec.title, tuple(each.column for each in spec.figures), rows[spec.title])
                for spec in self.tables
                if rows[spec.title]
            ),
            plots=tuple(self.plots(found)),
            aims=tuple(replace(aim, met=None) for aim in aims) if findings.options.smoke else aims,
            notes=(*findings.notes, *self.notes(found)),
        )


def take_turns(case: Case) -> Iterator[Group]:
    turns: dict[str, list[Any]] = {name: [] for name in case.candidates}
    for number in range(case.rounds):
        for name, measure in case.candidates.items():
            turns[name].append(measured := measure(number))
            print(f"{case.key}, {name}: {measured}", flush=True)
    for name in turns:
        yield Group(case, name, turns)


def series_by(values: Iterable[Mapping[str, Value]], *, by: str, x: str, y: str) -> tuple[Series, ...]:
    """One series per value of the column ``by``."""
    points: dict[str, list[tuple[Any, float]]] = {}
    for row in values:
        points.setdefault(str(row[by]), []).append((row[x], as_number(row[y])))
    return tuple(
        Series(name, tuple(each[0] for each in found), tuple(each[1] for each in found))
        for name, found in points.items()
    )


def as_number(value: Value) -> float:
    assert isinstance(value, int | float)
    return value
