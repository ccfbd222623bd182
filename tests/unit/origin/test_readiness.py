"""Readiness: one probe for all requests, in the background."""

import asyncio

import pytest

from origin.readiness import MAX_AGE_S, NO_ANSWER, REFRESH_S, Readiness
from tests.lab.waiting import run_until_idle


class Probe:
    def __init__(self) -> None:
        self.calls = 0
        self.reason: str | None = None
        self.now = 0.0
        self.answer = asyncio.Event()
        self.answer.set()

    async def __call__(self) -> str | None:
        self.calls += 1
        await self.answer.wait()
        return self.reason


@pytest.fixture
async def probe() -> Probe:
    return Probe()


def readiness(probe: Probe, timeout_s: float = 5.0) -> Readiness:
    return Readiness(probe, lambda: probe.now, timeout_s=timeout_s)


async def test_requests_start_no_probe_while_the_last_result_is_fresh(probe: Probe) -> None:
    ready = readiness(probe)
    assert [await ready.reason() for _ in range(300)] == [None] * 300
    assert probe.calls == 0


async def test_an_old_result_is_returned_at_once_and_one_probe_starts(probe: Probe) -> None:
    ready = readiness(probe)
    probe.now, probe.reason = REFRESH_S, "full"
    probe.answer.clear()
    assert [await ready.reason() for _ in range(300)] == [None] * 300
    await run_until_idle()
    assert probe.calls == 1
    probe.answer.set()
    await run_until_idle()
    assert await ready.reason() == "full"
    assert probe.calls == 1


async def test_after_a_long_silence_requests_wait_for_one_probe(probe: Probe) -> None:
    ready = readiness(probe)
    probe.now, probe.reason = MAX_AGE_S, "full"
    assert await asyncio.gather(*(ready.reason() for _ in range(300))) == ["full"] * 300
    assert probe.calls == 1


async def test_a_store_that_does_not_answer_is_not_ready(probe: Probe) -> None:
    ready = readiness(probe, timeout_s=0.01)
    probe.now = MAX_AGE_S
    probe.answer.clear()
    assert await ready.reason() == NO_ANSWER


async def test_close_cancels_the_probe(probe: Probe) -> None:
    ready = readiness(probe)
    probe.now = REFRESH_S
    probe.answer.clear()
    await ready.reason()
    await run_until_idle()
    await ready.close()
    assert await ready.reason() is None
