from fractions import Fraction

import pytest

from worker.rates import exact_rate, part_ticks


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(30, "30"), (29.97, "30000/1001"), (23.976, "24000/1001"), (59.94, "60000/1001"), (25, "25"), (12.5, "25/2")],
)
def test_rounded_rates_become_exact_fractions(rate: float, expected: str) -> None:
    assert str(exact_rate(rate)) == expected


@pytest.mark.parametrize(
    ("target_ms", "rate", "frames"),
    [(333, 30, 10), (333, 25, 8), (333, 24, 8), (200, 30, 6), (333, 60, 20), (10, 30, 1)],
)
def test_parts_are_whole_frames(target_ms: int, rate: int, frames: int) -> None:
    assert part_ticks(target_ms * 90, Fraction(rate)) == frames * 90_000 // rate


def test_without_a_rate_the_part_target_is_used() -> None:
    assert part_ticks(29_970, None) == 29_970
