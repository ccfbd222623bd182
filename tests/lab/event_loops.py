"""Runs a scenario with sockets on each kind of event loop."""

import asyncio
from collections.abc import Awaitable, Callable

import uvloop

PATIENCE_S = 10.0
EVENT_LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}

Scenario = Callable[[], Awaitable[None]]
Run = Callable[[Scenario], None]


def run_on(new_loop: Callable[[], asyncio.AbstractEventLoop], scenario: Scenario) -> None:
    """Raises TimeoutError after ``PATIENCE_S``."""

    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await scenario()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(bounded())
