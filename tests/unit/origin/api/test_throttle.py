"""How often something may happen for a key."""

from origin.api.throttle import MAX_KEYS, Throttle


def test_a_burst_is_allowed_and_then_one_in_each_interval() -> None:
    throttle = Throttle(3, 2.0)
    for _ in range(3):
        assert throttle.wait_s("a", 0.0) == 0
        throttle.count("a", 0.0)
    assert throttle.wait_s("a", 0.0) == 2.0
    assert throttle.wait_s("b", 0.0) == 0
    assert throttle.wait_s("a", 1.5) == 0.5
    assert throttle.wait_s("a", 2.0) == 0


def test_what_was_counted_is_forgiven_with_time() -> None:
    throttle = Throttle(3, 2.0)
    throttle.count("a", 0.0, 3)
    throttle.count("a", 100.0)
    assert throttle.wait_s("a", 100.0) == 0


def test_more_than_is_allowed_makes_the_wait_longer() -> None:
    throttle = Throttle(10, 1.0)
    throttle.count("a", 0.0, 50)
    assert throttle.wait_s("a", 0.0) == 41.0
    assert throttle.wait_s("a", 41.0) == 0


def test_it_remembers_a_bounded_number_of_keys() -> None:
    throttle = Throttle(1, 1.0)
    for number in range(2 * MAX_KEYS):
        throttle.count(str(number), 0.0)
    assert len(throttle) == MAX_KEYS
    assert throttle.wait_s("0", 0.0) == 0
