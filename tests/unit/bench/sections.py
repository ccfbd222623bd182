"""Sections from measurements that a test makes up."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.runner.benchmark import Benchmark, Case, Findings, Group
from bench.runner.results import Section

# A case's number of streams or the like, and the turns of each candidate.
Taken = tuple[Any, Mapping[str, Sequence[Any]]]


def section(
    benchmark: Benchmark, *taken: Taken, kind: str = "", arguments: Sequence[str] = (), notes: Sequence[str] = ()
) -> Section:
    """The commands of the rows are ``again`` and the case's key."""
    return of_groups(benchmark, groups(*taken, kind=kind), arguments, notes)


def groups(*taken: Taken, kind: str = "") -> tuple[Group, ...]:
    cases = [(Case(key, f"again {key}", {}, kind=kind), turns) for key, turns in taken]
    return tuple(Group(case, name, turns) for case, turns in cases for name in turns)


def of_groups(
    benchmark: Benchmark, found: Sequence[Group], arguments: Sequence[str] = (), notes: Sequence[str] = ()
) -> Section:
    return benchmark.section(Findings(tuple(found), benchmark.parse(list(arguments)), tuple(notes)))
