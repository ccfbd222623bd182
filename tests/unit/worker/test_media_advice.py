"""What recurs in a publisher's media is a warning in words."""

import pytest

from ingest.flv import errors
from ingest.flv.errors import FlvError, OddFrame
from worker.media_advice import HARMLESS, LASTING_S, QUIET_S, TEXTS, MediaAdvice, text_of
from worker.warnings import Warnings


class Bench:
    def __init__(self) -> None:
        self.warnings = Warnings()
        self._advice = MediaAdvice(self.warnings)
        self._totals: dict[str, int] = {}
        self.now = 0

    def restart(self) -> None:
        self._advice.restart()

    def tick(self, seconds: int, *reasons: str) -> list[str]:
        """``reasons`` occur in each of the seconds; returns the codes of the warnings after them."""
        for _ in range(seconds):
            for reason in reasons:
                self._totals[reason] = self._totals.get(reason, 0) + 1
            self._advice.review(self._totals, self.now)
            self.now += 1
        return [warning.code for warning in self.warnings.status(self.now)]


def test_a_problem_that_lasts_is_a_warning_until_it_ends() -> None:
    bench = Bench()
    assert bench.tick(int(LASTING_S), "annex-b") == []
    assert bench.tick(1, "annex-b") == ["annex-b"]
    assert bench.tick(int(QUIET_S) - 1) == ["annex-b"]
    assert bench.tick(1) == []


def test_a_single_occurrence_is_no_warning() -> None:
    bench = Bench()
    assert bench.tick(1, "malformed-frame") == []
    assert bench.tick(int(QUIET_S)) == []
    assert bench.tick(1, "malformed-frame") == []


def test_an_occurrence_at_the_beginning_of_each_publisher_is_no_warning() -> None:
    bench = Bench()
    for _ in range(5):
        bench.restart()
        bench.tick(1, "late-audio")
        assert bench.tick(4) == []


def test_a_publishers_problems_end_with_it() -> None:
    bench = Bench()
    assert bench.tick(5, "annex-b") == ["annex-b"]
    bench.restart()
    assert bench.tick(1) == []


def test_problems_are_independent() -> None:
    bench = Bench()
    bench.tick(2, "adts")
    bench.tick(2, "adts", "no-config")
    assert bench.tick(2, "adts", "no-config") == ["adts", "no-config"]


def test_nothing_is_lost_with_an_empty_message() -> None:
    assert Bench().tick(10, "empty-frame") == []


@pytest.mark.parametrize(
    "error",
    [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, FlvError)],
)
def test_each_error_of_a_message_has_a_text(error: type[FlvError]) -> None:
    if error not in (FlvError, OddFrame) and error.code not in HARMLESS:
        assert ":" in text_of(error.code)


def test_texts_give_the_remedy() -> None:
    assert all("OBS" in text or "restart" in text or "set the encoder" in text for text in TEXTS.values())
