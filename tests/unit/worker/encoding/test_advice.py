"""The warnings of a machine that is too slow, or of a budget that is used up."""

from worker.encoding.advice import CALM_S, EncodingAdvice
from worker.warnings import Warnings


class Bench:
    def __init__(self) -> None:
        self.warnings = Warnings()
        self.advice = EncodingAdvice(self.warnings)

    def texts(self, now: float = 0) -> dict[str, str]:
        return {warning.code: warning.text for warning in self.warnings.status(now)}


def test_an_overrun_that_comes_and_goes_is_one_warning() -> None:
    bench = Bench()
    for now in range(60):
        bench.advice.on_behind(3.0 if now % 7 == 0 else 0.1, now)
        assert "transcoder-overrun" in bench.texts()
    bench.advice.on_behind(0.0, 56 + CALM_S)
    assert bench.texts() == {}


def test_the_rungs_that_are_shed_are_named_with_the_time() -> None:
    bench = Bench()
    bench.advice.on_shed({"v720p": 5.0, "v480p": 95.0}, [], 100.0)
    text = bench.texts()["rungs-shed"]
    assert "v720p is off for 95 s, v480p is off for 5 s" in text
    assert "a faster preset" in text


def test_the_warning_stays_while_a_rung_may_be_shed_again() -> None:
    bench = Bench()
    bench.advice.on_shed({}, ["v720p"], 1.0)
    assert "v720p has just returned" in bench.texts()["rungs-shed"]
    bench.advice.on_shed({}, [], 2.0)
    assert bench.texts() == {}


def test_rungs_that_the_budget_leaves_out_are_named_with_the_setting() -> None:
    bench = Bench()
    bench.advice.on_left_out(["v720p", "v480p"], 20_000_000, 0)
    text = bench.texts()["ladder-reduced"]
    assert "v720p, v480p" in text and "20 megapixels per second ([transcoder] max_pixel_rate)" in text
    bench.advice.on_left_out([], 20_000_000, 1)
    assert bench.texts() == {}
