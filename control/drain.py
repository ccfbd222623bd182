"""Takes the server out of service: no new broadcasts, and the end of the process when the last one has ended."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from origin.api.models import Draining

log = structlog.get_logger("control")


class Drain:
    """``drained`` waits until no broadcast is on air; ``on_air`` counts them. ``stop`` is set when the server may
    end: then, or at the end of the grace period, by default after ``grace_s`` seconds."""

    def __init__(
        self, drained: Callable[[], Awaitable[None]], on_air: Callable[[], int], grace_s: Callable[[], float]
    ) -> None:
        self._grace_s = grace_s
        self.stop = asyncio.Event()
        self._drained = drained
        self._on_air = on_air
        self._deadline = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> Draining | None:
        """None while the server is in service."""
        if self._task is None:
            return None
        return Draining(on_air=self._on_air(), grace_left_s=max(0.0, self._deadline - time.monotonic()))

    def begin(self, grace_s: float | None = None) -> Draining:
        """Accept no new broadcasts, and stop after ``grace_s`` seconds at the latest; a later call changes that
        time."""
        if grace_s is None:
            grace_s = self._grace_s()
        if self._task is not None:
            self._task.cancel()
        self._deadline = time.monotonic() + grace_s
        self._task = asyncio.create_task(self._wait(grace_s))
        state = Draining(on_air=self._on_air(), grace_left_s=grace_s)
        log.info("draining: no new broadcasts are accepted", on_air=state.on_air, grace_s=grace_s)
        return state

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _wait(self, grace_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._drained()
        log.info("drained", on_air=self._on_air())
        self.stop.set()
