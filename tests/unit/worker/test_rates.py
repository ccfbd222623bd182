from fractions import Fraction

import pytest

from worker.rates import confirmed_rate, exact_rate, nearest_rate, part_ticks


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


@pytest.mark.parametrize(
    ("declared", "times_ms", "rate"),
    [
        ("30", (0, 33, 67, 100), "30"),
        ("30000/1001", (0, 33, 67, 100), "30000/1001"),
        ("30", (0, 33, 100, 133), "30"),
        ("1", (0, 33, 67, 100), "30"),
        ("60", (0, 33, 67, 100), "30"),
        ("30", (0, 40, 80, 120), "25"),
        (None, (0, 17, 33, 50), "60"),
        ("30", (0, 500, 1000), "2"),
        ("30", (0,), "30"),
        ("30", (0, 0, 0, 0), "30"),
        (None, (), None),
    ],
)
def test_a_declared_rate_holds_if_the_intervals_agree(
    declared: str | None, times_ms: tuple[int, ...], rate: str | None
) -> None:
    hint = None if declared is None else Fraction(declared)
    confirmed = confirmed_rate(hint, [90 * ms for ms in times_ms])
    assert confirmed == (None if rate is None else Fraction(rate))


@pytest.mark.parametrize(
    ("measured", "declared", "announced"),
    [
        (Fraction(60 * 1000, 2001), "30", "30"),
        (Fraction(60 * 1000, 2002), None, "30000/1001"),
        (Fraction(25), "30", "25"),
        (Fraction(2501, 200), "25/2", "25/2"),
        (Fraction(2642, 100), "30", "1321/50"),
        (Fraction(1, 10), None, "1/10"),
    ],
)
def test_the_announced_rate_is_the_measured_one(measured: Fraction, declared: str | None, announced: str) -> None:
    hint = None if declared is None else Fraction(declared)
    assert nearest_rate(measured, hint) == Fraction(announced)
