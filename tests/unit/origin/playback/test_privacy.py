"""Which streams are private, as the origin knows it."""

import asyncio

import pytest
from structlog.testing import capture_logs

from origin.playback import PrivateStreams
from origin.playback.privacy import MAX_LOOKUPS
from storage.interface import StorageError, StoreUnavailable


class Streams:
    """``private`` are those that are; lookups wait for ``gate``."""

    def __init__(self) -> None:
        self.now = 100.0
        self.private = {"secret"}
        self.failing: StorageError | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.lookups: list[str] = []
        self.known = PrivateStreams(self.look_up, clock=lambda: self.now, remembered=2)

    async def look_up(self, stream: str) -> bool:
        self.lookups.append(stream)
        await self.gate.wait()
        if self.failing is not None:
            raise self.failing
        return stream in self.private

    async def settle(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)


async def test_many_who_ask_at_once_cost_one_lookup() -> None:
    streams = Streams()
    assert await asyncio.gather(*(streams.known.is_private("secret") for _ in range(50))) == [True] * 50
    assert await streams.known.is_private("open") is False
    assert streams.lookups == ["secret", "open"]


async def test_a_known_answer_comes_at_once_and_is_renewed_behind_it() -> None:
    streams = Streams()
    await streams.known.is_private("open")
    streams.private.add("open")
    streams.now += 4.9
    assert await streams.known.is_private("open") is False
    assert len(streams.lookups) == 1
    streams.now += 0.1
    streams.gate.clear()
    assert await streams.known.is_private("open") is False
    streams.gate.set()
    await streams.settle()
    assert await streams.known.is_private("open") is True
    assert len(streams.lookups) == 2


async def test_an_old_answer_is_not_given() -> None:
    streams = Streams()
    await streams.known.is_private("open")
    streams.private.add("open")
    streams.now += 15
    assert await streams.known.is_private("open") is True


@pytest.mark.parametrize("later", [5.0, 3600.0])
async def test_a_store_that_fails_changes_nothing(later: float) -> None:
    streams = Streams()
    await streams.known.is_private("secret")
    streams.failing = StoreUnavailable("down")
    streams.now += later
    with capture_logs() as logs:
        assert await streams.known.is_private("secret") is True
        await streams.settle()
        assert await streams.known.is_private("secret") is True
    assert len(streams.lookups) == 2
    assert [entry["log_level"] for entry in logs] == ["warning"]
    with pytest.raises(StoreUnavailable):
        await streams.known.is_private("open")
    streams.failing = None
    assert await streams.known.is_private("open") is False


async def test_who_goes_away_stops_nothing_for_the_others() -> None:
    streams = Streams()
    streams.gate.clear()
    first = asyncio.create_task(streams.known.is_private("secret"))
    second = asyncio.create_task(streams.known.is_private("secret"))
    await asyncio.sleep(0)
    first.cancel()
    streams.gate.set()
    assert await second is True
    assert streams.lookups == ["secret"]


async def test_what_is_kept_and_looked_up_is_bounded() -> None:
    streams = Streams()
    for name in ("a", "b", "c", "b", "c", "a"):
        await streams.known.is_private(name)
    assert streams.lookups == ["a", "b", "c", "a"]
    streams.gate.clear()
    waiting = [asyncio.create_task(streams.known.is_private(f"s{number}")) for number in range(MAX_LOOKUPS)]
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        await streams.known.is_private("one-more")
    streams.gate.set()
    assert set(await asyncio.gather(*waiting)) == {False}
