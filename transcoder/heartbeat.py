"""Notices a child process that hangs: one that works sends something about once a second.

Silence is counted in ticks of the event loop, not by the clock. So a loop that was blocked, or a machine that was
suspended, is not mistaken for a child that hangs.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Ticks without a message after which a child hangs: before its first message, while it loads its libraries and
    opens its encoders, and later. ``tick_s`` is seconds."""

    start: int = 20
    later: int = 5
    tick_s: float = 1.0


class Heartbeat:
    """Calls ``on_silence`` once, with the seconds of silence. It runs from now until :meth:`stop`."""

    def __init__(self, on_silence: Callable[[float], None], patience: Patience) -> None:
        self._on_silence = on_silence
        self._tick_s = patience.tick_s
        self._allowed, self._later = patience.start, patience.later
        self._silent = 0
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._tick_s, self._tick)

    def beat(self) -> None:
        """A message arrived."""
        self._silent, self._allowed = 0, self._later

    def stop(self) -> None:
        self._timer.cancel()

    def _tick(self) -> None:
        self._silent += 1
        if self._silent >= self._allowed:
            self._on_silence(self._silent * self._tick_s)
        else:
            self._timer = self._loop.call_later(self._tick_s, self._tick)
