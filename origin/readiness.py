"""Whether the server can serve, from a probe of the store that all requests share.

A probe writes to the store, so requests never start one each: a request gets the last result at once, and if that
is old, the next probe starts in the background.
"""

import asyncio
from collections.abc import Awaitable, Callable

# In seconds. A result is used without a new probe for REFRESH_S; one older than MAX_AGE_S is not used at all.
REFRESH_S = 5.0
MAX_AGE_S = 30.0
TIMEOUT_S = 5.0

NO_ANSWER = "the store does not answer"


class Readiness:
    """``probe`` returns why the server cannot serve, or None if it can; it has just succeeded. ``clock`` returns
    monotonic seconds."""

    def __init__(
        self,
        probe: Callable[[], Awaitable[str | None]],
        clock: Callable[[], float],
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._probe = probe
        self._clock = clock
        self._timeout_s = timeout_s
        self._reason: str | None = None
        self._since = clock()
        self._task: asyncio.Task[None] | None = None

    async def reason(self) -> str | None:
        """Why the server cannot serve; None if it can."""
        age = self._clock() - self._since
        if age >= REFRESH_S and self._task is None:
            self._task = asyncio.create_task(self._refresh())
            self._task.add_done_callback(self._done)
        if age >= MAX_AGE_S and self._task is not None:
            await asyncio.wait((self._task,))
        return self._reason

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                self._reason = await self._probe()
        except TimeoutError:
            self._reason = NO_ANSWER
        self._since = self._clock()

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._task = None
        if not task.cancelled() and task.exception() is not None:
            self._reason, self._since = f"the probe failed: {task.exception()!r}", self._clock()
