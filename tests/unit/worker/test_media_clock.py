"""The broadcast's clock follows its media."""

from collections.abc import Iterable

from worker.media_clock import LEAST_CHANGE_MS, MediaClock

START = 1_800_000_000.0


def offsets(samples: Iterable[tuple[float, float, float]]) -> list[int]:
    """Takes (media, monotonic, Unix) seconds since the start; returns the offset after each, in milliseconds."""
    clock = MediaClock()
    found = []
    for media, now, unix in samples:
        clock.sample(round(1000 * (START + media)), now, START + unix)
        found.append(clock.offset_ms)
    return found


def test_media_that_is_on_time_has_no_offset() -> None:
    assert set(offsets((n - 0.1, n, n) for n in range(60))) == {0}


def test_drift_is_followed() -> None:
    """An encoder whose clock is 1 % slow."""
    found = offsets((0.99 * n, n, n) for n in range(600))
    for n, offset in enumerate(found):
        assert abs(offset + 10 * n) <= LEAST_CHANGE_MS + 10 * 5


def test_media_that_is_held_up_and_catches_up_has_no_offset() -> None:
    assert set(offsets((20.0 if 20 < n < 24 else n, n, n) for n in range(60))) == {0}


def test_media_that_stays_behind_is_followed_within_seconds() -> None:
    found = offsets((n if n < 20 else max(20, n - 6), n, n) for n in range(60))
    assert found[19] == 0 and found[31] == -6000


def test_a_step_of_the_servers_clock_is_followed_at_once() -> None:
    for step in (3600, -3600, 1_700_000_000):
        clock = MediaClock()
        for n in range(30):
            clock.sample(round(1000 * (START + n)), n, START + n + (step if n >= 20 else 0))
            assert (clock.offset_ms, clock.step_ms) == ((-1000 * step, 1000 * step) if n >= 20 else (0, 0))


def test_a_returning_publisher_starts_without_the_delays_of_the_one_before() -> None:
    clock = MediaClock()
    for n in range(10):
        clock.sample(round(1000 * (START + n)), n, START + n)
    clock.restart()
    assert clock.sample(round(1000 * (START + 16)), 20, START + 20)
    assert clock.offset_ms == -4000
