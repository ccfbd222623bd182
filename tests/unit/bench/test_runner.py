from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bench.runner.benchmark import Benchmark, Case, Group, Run, TableSpec, figure, take_turns
from bench.runner.main import main
from bench.runner.options import Option, choice, count, listed, number
from tests.unit.bench.sections import groups, of_groups

SEEN: list[str] = []


def candidates(*names: str) -> dict[str, Callable[[int], str]]:
    def measuring(name: str) -> Callable[[int], str]:
        def measure(turn: int) -> str:
            SEEN.append(f"{name}{turn}")
            return name * (turn + 1)

        return measure

    return {name: measuring(name) for name in names}


def cases(run: Run) -> Iterator[Case]:
    run.notes.append("c is missing")
    for key in run.options.keys:
        yield Case(key, run.command(keys=(key,)), candidates(*run.options.servers), run.options.rounds)


BENCHMARK = Benchmark(
    name="letters",
    title="Letters",
    about="",
    description="",
    options=(
        Option("--keys", (1, 2), listed(count()), "numbers", smoke=(3,)),
        Option("--rounds", 2, count(), "turns"),
        Option("--servers", ("a", "b"), listed(choice("a", "b")), "letters", repeats=False, off="--no-servers"),
    ),
    cases=cases,
    tables=(
        TableSpec(
            "Lengths",
            (
                figure("who", "who", of=lambda group: group.candidate),
                figure("length", "length", of=lambda group: group.median(len)),
                figure("ratio", "of b's", of=lambda group: group.ratio("b", len)),
            ),
        ),
    ),
    in_book=False,
)


def test_candidates_take_turns() -> None:
    SEEN.clear()
    first, second = take_turns(Case("x", "", candidates("a", "b"), rounds=2))
    assert SEEN == ["a0", "b0", "a1", "b1"]
    assert (first.turns, second.turns) == (["a", "aa"], ["b", "bb"])


def test_a_ratio_uses_turns_in_which_both_have_a_value() -> None:
    (a, b, alone) = (*groups((1, {"a": [2, 9, 8], "b": [1, 3, 2]})), *groups((1, {"a": [1]})))
    assert a.ratio("b", float) == 3
    assert a.ratio("b", lambda turn: turn if turn != 9 else None) == 3
    assert b.ratio("b", float) is None
    assert alone.ratio("b", float) is None
    assert alone.median(lambda turn: None) is None


def test_a_row_has_the_command_that_repeats_it() -> None:
    taken = Group(Case(1, "again", {}), "a", {"a": ["x", "xxx"], "b": ["x", "x"]})
    (row,) = of_groups(BENCHMARK, [taken]).tables[0].rows
    assert (row.values, row.command) == ({"who": "a", "length": 2, "ratio": 2}, "again")


def test_a_run_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(BENCHMARK, ["--smoke", "--rounds", "1"]) == 0
    shown = capsys.readouterr().out
    assert "3, a: a" in shown and "c is missing" in shown


def test_a_run_without_candidates_fails_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(BENCHMARK, ["--no-servers"]) == 1
    assert capsys.readouterr().err == "c is missing\n"


@pytest.mark.parametrize(
    "parse", [number(above=0), number(at_least=1), number(at_most=-1), count(), choice("1"), listed(count())]
)
def test_values_out_of_bounds_are_refused(parse: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    one = Benchmark("one", "", "", "", (Option("--value", None, parse, ""),), cases, ())
    with pytest.raises(SystemExit):
        one.parse(["--value", "0"])
    assert "--value" in capsys.readouterr().err
