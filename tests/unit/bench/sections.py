"""Builds sections from a test's invented measurements."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.runner.benchmark import Benchmark, Case, Findings, Group
from bench.runner.results import Section

# By the case's key (such as its number of streams): the turns of each candidate.
Taken = tuple[Any, Mapping[str, Sequence[Any]]]


def section(
    benchmark: Benchmark, *taken: Taken, kind: str = "", arguments: Sequence[str] = (), notes: Sequence[str] = ()
) -> Section:
    """The command of each row is ``again`` and the case's key."""
    return of_groups(benchmark, groups(*taken, kind=kind), arguments, notes)


def groups(*taken: Taken, kind: str = "") -> tuple[Group, ...]:
    cases = [(Case(key, f"again {key}", {}, kind=kind), turns) for key, turns in taken]
    return tuple(Group(case, name, turns) for case, turns in cases for name in turns)


def of_groups(
    benchmark: Benchmark, found: Sequence[Group], arguments: Sequence[str] = (), notes: Sequence[str] = ()
) -> Section:
    return benchmark.section(Findings(tuple(found), benchmark.parse(list(arguments)), tuple(notes)))
