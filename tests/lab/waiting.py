"""Waits for a condition, with a timeout."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], *, timeout: float = 15, every: float = 0.1) -> T:
    """The first true value of ``condition``. Raises AssertionError after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{condition} did not come true within {timeout} s"
        time.sleep(every)
    return value
