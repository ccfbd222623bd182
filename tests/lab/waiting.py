"""Waits for a condition with a timeout, and lets the event loop run until it is idle."""

import asyncio
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


async def run_until_idle() -> None:
    """Let all tasks run until each waits for an event from outside the loop."""
    for _ in range(50):
        await asyncio.sleep(0)
