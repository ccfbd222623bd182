import asyncio
import time

import pytest
from structlog.testing import capture_logs

from telemetry import loop_watchdog
from telemetry.loop_watchdog import BLOCKED_S, LoopWatchdog


def block_the_loop(seconds: float) -> None:
    time.sleep(seconds)


async def next_lag(lags: "asyncio.Queue[float]") -> float:
    async with asyncio.timeout(5):
        return await lags.get()


async def test_a_blocked_loop_is_logged_with_what_it_ran() -> None:
    lags: asyncio.Queue[float] = asyncio.Queue()
    watchdog = LoopWatchdog(lags.put_nowait)
    with capture_logs() as logged:
        await next_lag(lags)
        block_the_loop(2 * BLOCKED_S + 0.2)
        assert await next_lag(lags) > BLOCKED_S
    watchdog.close()
    (line,) = [line for line in logged if "blocked" in line["event"]]
    assert line["seconds"] > BLOCKED_S
    assert "block_the_loop" in line["where"] and "test_a_blocked_loop" in line["where"]


async def test_a_loop_that_is_blocked_again_is_logged_once_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_watchdog, "BLOCKED_S", 0.01)
    lags: asyncio.Queue[float] = asyncio.Queue()
    watchdog = LoopWatchdog(lags.put_nowait)
    with capture_logs() as logged:
        for _ in range(3):
            block_the_loop(0.15)
            while await next_lag(lags) < 0.02:
                pass
    watchdog.close()
    assert len(logged) == 1


async def test_after_the_end_nothing_is_measured() -> None:
    lags: asyncio.Queue[float] = asyncio.Queue()
    LoopWatchdog(lags.put_nowait).close()
    await asyncio.sleep(2 * loop_watchdog.TICK_S)
    assert lags.empty()
