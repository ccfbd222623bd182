"""Waiting for something real to happen, with a bound."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], *, timeout: float = 15, every: float = 0.1) -> T:
    """The first true value of ``condition``. Raises AssertionError when it never came."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{condition} did not come true within {timeout} s"
        time.sleep(every)
    return value
