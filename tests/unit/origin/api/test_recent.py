"""What was just read is not read again."""

import asyncio

import pytest

from origin.api.recent import Recent


class Source:
    """Counts what is fetched; ``gate`` holds it up."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failing = False
        self.now = 0.0
        self.recent: Recent[str] = Recent(fresh_s=2.0, remembered=3, clock=lambda: self.now)

    async def get(self, key: str) -> str:
        async def fetch() -> str:
            self.fetched.append(key)
            await self.gate.wait()
            if self.failing:
                raise OSError("down")
            return f"{key}{len(self.fetched)}"

        return await self.recent.get(key, fetch)


async def test_an_answer_is_kept_for_a_while() -> None:
    source = Source()
    assert await source.get("a") == await source.get("a") == "a1"
    source.now = 2.0
    assert await source.get("a") == "a2"


async def test_a_clock_set_back_keeps_nothing_for_ever() -> None:
    source = Source()
    source.now = 1000.0
    await source.get("a")
    source.now = 10.0
    assert await source.get("a") == "a2"


async def test_those_who_ask_at_once_share_an_answer_and_one_who_leaves_takes_it_from_nobody() -> None:
    source = Source()
    source.gate.clear()
    first, second = asyncio.create_task(source.get("a")), asyncio.create_task(source.get("a"))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    source.gate.set()
    assert await second == "a1"
    assert first.cancelled()


async def test_a_failure_is_told_to_those_who_wait_and_not_kept() -> None:
    source = Source()
    source.failing = True
    answers = await asyncio.gather(source.get("a"), source.get("a"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [OSError, OSError]
    source.failing = False
    assert await source.get("a") == "a2"


async def test_memory_is_bounded() -> None:
    source = Source()
    for key in "abcd":
        await source.get(key)
    assert await source.get("d") == "d4"
    assert await source.get("a") == "a5"


async def test_forgetting() -> None:
    source = Source()
    await source.get("a")
    source.recent.forget("a")
    source.recent.forget("b")
    assert await source.get("a") == "a2"


async def test_a_failure_nobody_waits_for_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    source = Source()
    source.gate.clear()
    source.failing = True
    asking = asyncio.create_task(source.get("a"))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.sleep(0)
    source.gate.set()
    await asyncio.sleep(0.01)
    assert caplog.records == []
