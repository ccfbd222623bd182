"""When a publisher on standby takes the place of one that stalls."""

import pytest

from worker.switch_policy import LONGEST_FACTOR, REMEMBERED_S, SwitchPolicy


class Bench:
    """Two publishers that send ten units a second, unless they stall."""

    def __init__(self) -> None:
        self.policy = SwitchPolicy(1.0)
        self.now = 1000.0
        self.on_air = self.standby = 0
        self.policy.begin(0, 0, self.now)

    def run(self, seconds: float, *, on_air: bool = True, standby: bool = True) -> float | None:
        """The seconds after which a switch is due; None if it is not."""
        for step in range(round(seconds * 10)):
            self.now += 0.1
            self.on_air += on_air
            self.standby += standby
            self.policy.observe(self.on_air, self.standby, self.now)
            if self.policy.is_due(self.now):
                return (step + 1) / 10
        return None

    def switch(self) -> None:
        self.policy.switched(self.now)
        self.on_air = self.standby = 0
        self.policy.begin(0, 0, self.now)


def test_no_switch_is_due_while_the_one_on_air_sends() -> None:
    assert Bench().run(60) is None


def test_a_stall_is_noticed_after_the_time_for_it() -> None:
    bench = Bench()
    bench.run(5)
    assert bench.run(5, on_air=False) == pytest.approx(1.0, abs=0.11)


def test_a_shorter_pause_is_no_stall() -> None:
    bench = Bench()
    for _ in range(10):
        assert bench.run(0.8, on_air=False) is None
        assert bench.run(0.2) is None


def test_no_switch_is_due_to_a_standby_that_stalls_too() -> None:
    bench = Bench()
    bench.run(5)
    assert bench.run(30, on_air=False, standby=False) is None
    assert bench.run(1, on_air=False) == 0.1


def test_a_standby_that_has_sent_nothing_is_no_choice() -> None:
    bench = Bench()
    assert bench.run(30, on_air=False, standby=False) is None
    assert bench.policy.standby_silent_s(bench.now) == pytest.approx(30)


def test_two_encoders_that_stall_in_turn_switch_less_and_less_often() -> None:
    bench = Bench()
    waits = []
    for _ in range(6):
        waits.append(bench.run(60, on_air=False))
        bench.switch()
    assert waits == pytest.approx([1, 2, 4, 8, 8, 8], abs=0.11)
    assert LONGEST_FACTOR == 8


def test_a_switch_long_ago_does_not_count() -> None:
    bench = Bench()
    bench.run(2, on_air=False)
    bench.switch()
    assert bench.run(REMEMBERED_S + 1) is None
    assert bench.run(5, on_air=False) == pytest.approx(1.0, abs=0.11)


def test_the_silence_of_a_standby_begins_with_its_newest_unit() -> None:
    bench = Bench()
    bench.run(3)
    bench.run(2, standby=False)
    assert bench.policy.standby_silent_s(bench.now) == pytest.approx(2)
    assert not bench.policy.standby_sends(bench.now)
