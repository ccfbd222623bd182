from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.cmaf.frame_clock import TOLERANCE, FrameClock

RATES = [
    Fraction(24000, 1001),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(30),
    Fraction(60000, 1001),
    Fraction(60),
]


def exact(index: int, rate: Fraction) -> Fraction:
    return index * 90_000 / rate


@pytest.mark.parametrize("rate", RATES)
def test_millisecond_timestamps_snap_to_the_grid(rate: Fraction) -> None:
    clock = FrameClock(rate)
    for index in range(20_000):
        dts, cts = clock.snap(round(exact(index, rate) / 90) * 90, round(2 * exact(1, rate) / 90) * 90)
        assert abs(dts - exact(index, rate)) <= 1
        assert abs(cts - exact(2, rate)) <= 1


def test_a_new_grid_begins_after_the_last_frame_of_the_old_one() -> None:
    clock = FrameClock(Fraction(25))
    assert clock.last is None
    last, _ = [clock.snap(ms * 90, 0) for ms in (0, 39)][-1]
    assert clock.last == last == 3600
    clock = FrameClock(Fraction(25), after=clock.last)
    assert clock.last == 3600
    assert clock.snap(39 * 90, 0)[0] == 3601


def test_dropped_frame_leaves_its_slot_free() -> None:
    clock = FrameClock(Fraction(30))
    assert [clock.snap(ms * 90, 0)[0] for ms in (0, 33, 133, 167)] == [0, 3000, 12000, 15000]


def test_frame_off_the_grid_keeps_its_time_and_restarts_the_grid() -> None:
    clock = FrameClock(Fraction(30))
    assert [clock.snap(ms * 90, 0)[0] for ms in (0, 33, 50, 83)] == [0, 3000, 4500, 7500]


@given(st.sampled_from(RATES), st.lists(st.integers(min_value=0, max_value=500), min_size=1, max_size=60))
def test_times_strictly_increase_and_stay_within_tolerance(rate: Fraction, steps: list[int]) -> None:
    clock = FrameClock(rate)
    now, previous = 0, -1
    for step in steps:
        now += step * 90
        dts, _ = clock.snap(now, 0)
        assert dts > previous
        # Frames less than one tick apart are moved to consecutive ticks.
        assert abs(dts - now) <= TOLERANCE + len(steps)
        previous = dts
