"""Watches an event loop: all streams of a process wait while one callback blocks it.

The loop measures how late it is. If that is too much, another thread looks at what the loop's thread runs, and the
loop logs it when it goes on.
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from itertools import islice
from time import monotonic
from traceback import walk_stack
from types import FrameType

import structlog

log = structlog.get_logger("telemetry")

TICK_S = 0.1
BLOCKED_S = 0.25
# Seconds between two lines in the log: a machine that is too slow blocks the loop again and again.
LOG_EVERY_S = 10.0
MAX_FRAMES = 6
NOTHING_RAN = "no thread ran: the machine is overloaded or was suspended, or a library held the interpreter"


class LoopWatchdog:
    """Watches the running loop until :meth:`close`. ``on_lag`` is called every TICK_S with the seconds by which the
    loop is late."""

    def __init__(self, on_lag: Callable[[float], None]) -> None:
        self._on_lag = on_lag
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._stack = ""
        self._quiet_until = 0.0
        self._closed = threading.Event()
        self._wait()
        self._thread = threading.Thread(target=self._watch, name="loop-watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._timer.cancel()
        self._closed.set()
        self._thread.join()

    def _wait(self) -> None:
        self._due = monotonic() + TICK_S
        self._timer = self._loop.call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        now = monotonic()
        lag = max(0.0, now - self._due)
        stack, self._stack = self._stack, ""
        self._on_lag(lag)
        if lag > BLOCKED_S and now >= self._quiet_until:
            self._quiet_until = now + LOG_EVERY_S
            where = stack or NOTHING_RAN
            log.warning("the event loop was blocked, and all streams waited", seconds=round(lag, 3), where=where)
        self._wait()

    def _watch(self) -> None:
        before = monotonic()
        while not self._closed.wait(TICK_S):
            now = monotonic()
            slept, before = now - before, now
            # If this thread was late too, the loop's thread is not the cause.
            if not self._stack and now - self._due > BLOCKED_S and slept < TICK_S + BLOCKED_S:
                self._stack = _describe(sys._current_frames().get(self._loop_thread))


def _describe(frame: FrameType | None) -> str:
    """The innermost calls of a stack, without values."""
    calls = (f"{inner.f_code.co_qualname} ({line})" for inner, line in islice(walk_stack(frame), MAX_FRAMES))
    return " < ".join(calls)
