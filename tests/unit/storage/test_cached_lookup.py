"""The cached look-up: which callers wait, which answer they get, and what is cached."""

import asyncio
from math import inf

import pytest
from structlog.testing import capture_logs

from storage.cached_lookup import CachedLookup, Freshness
from storage.interface import ObjectNotFound, StoreUnavailable

STALE = Freshness(refresh_s=2.0, max_age_s=5.0)
FALLBACK = Freshness(refresh_s=2.0, max_age_s=5.0, fallback_s=3600.0)


class Source:
    """Numbers its answers; look-ups wait for ``gate``."""

    def __init__(
        self,
        freshness: Freshness = STALE,
        *,
        max_count: int | None = None,
        max_weight: float = inf,
        missing_s: float = 0.0,
        max_lookups: int = 8,
        max_running: int | None = None,
    ) -> None:
        self.now = 100.0
        self.lookups: list[str] = []
        self.failing: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.cache: CachedLookup[str, str] = CachedLookup(
            self.look_up,
            max_count=max_count,
            max_weight=max_weight,
            weight=len,
            freshness=freshness,
            missing_s=missing_s,
            is_kept=lambda key: not key.startswith("volatile"),
            max_lookups=max_lookups,
            max_running=max_running,
            clock=lambda: self.now,
        )

    async def look_up(self, key: str) -> str:
        self.lookups.append(key)
        number = len(self.lookups)
        await self.gate.wait()
        if self.failing is not None:
            raise self.failing
        return f"{key}{number}"

    def waiting(self, key: str, count: int = 1) -> "list[asyncio.Task[str]]":
        return [asyncio.create_task(self.cache.get(key)) for _ in range(count)]


async def step() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


async def test_simultaneous_callers_share_one_lookup() -> None:
    source = Source()
    assert set(await asyncio.gather(*source.waiting("a", 50))) == {"a1"}
    assert source.lookups == ["a"]


async def test_a_fresh_answer_is_cached_an_ageing_one_refreshed_and_an_old_one_awaited() -> None:
    source = Source()
    assert await source.cache.get("a") == "a1"
    source.now += 1.9
    assert await source.cache.get("a") == "a1"
    assert source.lookups == ["a"]
    source.now += 0.1
    assert await source.cache.get("a") == "a1"
    await step()
    assert await source.cache.get("a") == "a2"
    source.now += 5
    assert await source.cache.get("a") == "a3"


async def test_an_answers_age_counts_from_its_lookup() -> None:
    source = Source()
    source.gate.clear()
    (waiting,) = source.waiting("a")
    await step()
    source.now += 5
    source.gate.set()
    assert await waiting == "a1"
    assert await source.cache.get("a") == "a2"


async def test_an_error_reaches_all_waiters_and_is_not_cached() -> None:
    source = Source()
    source.failing = OSError("down")
    results = await asyncio.gather(*source.waiting("a", 3), return_exceptions=True)
    assert [type(result) for result in results] == [OSError] * 3
    source.failing = None
    assert await source.cache.get("a") == "a2"


async def test_a_failed_refresh_keeps_the_answer_until_its_maximum_age() -> None:
    source = Source()
    await source.cache.get("a")
    source.failing = StoreUnavailable("down")
    source.now += 2
    assert await source.cache.get("a") == "a1"
    await step()
    source.now += 3
    with pytest.raises(StoreUnavailable):
        await source.cache.get("a")


@pytest.mark.parametrize("later", [2.0, 5.0, 3600.0])
async def test_with_a_fallback_a_failing_store_keeps_the_answer(later: float) -> None:
    source = Source(FALLBACK)
    await source.cache.get("a")
    source.failing = StoreUnavailable("down")
    source.now += later
    with capture_logs() as logs:
        assert await source.cache.get("a") == "a1"
        await step()
        assert await source.cache.get("a") == "a1"
    assert source.lookups == ["a", "a"]
    assert [entry["log_level"] for entry in logs] == ["warning"]
    with pytest.raises(StoreUnavailable):
        await source.cache.get("b")


async def test_with_a_fallback_a_hanging_store_delays_only_once() -> None:
    source = Source(Freshness(refresh_s=2.0, max_age_s=5.0, fallback_s=0.0))
    await source.cache.get("a")
    source.gate.clear()
    source.now += 5
    with capture_logs() as logs:
        assert await asyncio.gather(*source.waiting("a", 3)) == ["a1"] * 3
        assert await source.cache.get("a") == "a1"
    assert source.lookups == ["a", "a"]
    assert len(logs) == 1
    source.gate.set()
    await step()
    assert await source.cache.get("a") == "a2"


async def test_an_unexpected_error_of_the_lookup_is_logged() -> None:
    source = Source(FALLBACK)
    await source.cache.get("a")
    source.failing = ZeroDivisionError()
    source.now += 2
    with capture_logs() as logs:
        assert await source.cache.get("a") == "a1"
        await step()
    assert [(entry["log_level"], entry["error"]) for entry in logs] == [("error", "ZeroDivisionError()")]


async def test_refresh_looks_up_even_if_cached() -> None:
    source = Source(FALLBACK)
    await source.cache.get("a")
    assert await source.cache.refresh("a") == "a2"
    source.failing = StoreUnavailable("down")
    assert await source.cache.refresh("a") == "a2"
    with pytest.raises(StoreUnavailable):
        await source.cache.refresh("b")


async def test_not_found_removes_the_answer_and_is_cached_briefly() -> None:
    source = Source(FALLBACK, missing_s=0.5)
    await source.cache.get("a")
    source.failing = ObjectNotFound("gone")
    source.now += 5
    for _ in range(3):
        with pytest.raises(ObjectNotFound):
            await source.cache.get("a")
    assert source.lookups == ["a", "a"]
    source.failing = None
    source.now += 0.5
    assert await source.cache.get("a") == "a3"


async def test_a_put_value_is_newer_than_a_lookup_in_flight() -> None:
    source = Source()
    source.gate.clear()
    (waiting,) = source.waiting("a")
    await step()
    source.cache.put("a", "newer")
    source.gate.set()
    assert await waiting == "a1"
    assert await source.cache.get("a") == "newer"


async def test_forget_drops_the_answer_and_any_lookup_in_flight() -> None:
    source = Source()
    await source.cache.get("a")
    source.gate.clear()
    source.now += 2
    await source.cache.get("a")
    await step()
    source.cache.forget("a")
    source.cache.forget("unknown")
    source.gate.set()
    await step()
    assert await source.cache.get("a") == "a3"


async def test_answers_are_bounded_by_count_weight_and_key() -> None:
    source = Source(max_count=2)
    for key in ("a", "b", "a", "c", "a", "b"):
        await source.cache.get(key)
    assert source.lookups == ["a", "b", "c", "b"]
    source = Source(max_weight=4)
    for key in ("a", "b", "c", "huge", "c"):
        await source.cache.get(key)
    assert (source.lookups, source.cache.weight) == (["a", "b", "c", "huge"], 4)
    for _ in range(2):
        await source.cache.get("volatile")
    assert source.lookups[-2:] == ["volatile"] * 2


async def test_lookups_beyond_those_that_run_wait() -> None:
    source = Source(max_running=2)
    source.gate.clear()
    waiting = [task for key in "abcd" for task in source.waiting(key)]
    await step()
    assert source.lookups == ["a", "b"]
    source.gate.set()
    assert await asyncio.gather(*waiting) == ["a1", "b2", "c3", "d4"]


async def test_a_key_with_an_answer_does_not_wait_for_those_without() -> None:
    source = Source(max_running=1)
    await source.cache.get("known")
    source.gate.clear()
    (unknown,) = source.waiting("unknown")
    await step()
    source.now += 6
    (known,) = source.waiting("known")
    await step()
    assert source.lookups == ["known", "unknown", "known"]
    source.gate.set()
    assert (await unknown, await known) == ("unknown2", "known3")


async def test_lookups_in_flight_are_bounded() -> None:
    source = Source(FALLBACK, max_lookups=1)
    await source.cache.get("a")
    source.gate.clear()
    (waiting,) = source.waiting("b")
    await step()
    with pytest.raises(StoreUnavailable, match="too many"):
        await source.cache.get("c")
    source.now += 2
    assert await source.cache.get("a") == "a1"
    source.gate.set()
    assert await waiting == "b2"


async def test_a_cancelled_caller_does_not_affect_the_others() -> None:
    source = Source()
    source.gate.clear()
    leaver, stayer = source.waiting("a", 2)
    await step()
    leaver.cancel()
    await step()
    source.gate.set()
    assert await stayer == "a1"
    assert leaver.cancelled()


async def test_a_failure_without_waiters_is_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    source = Source()
    source.gate.clear()
    source.failing = OSError("down")
    (waiting,) = source.waiting("a")
    await step()
    waiting.cancel()
    source.gate.set()
    await step()
    del waiting
    assert caplog.records == []


async def test_close_cancels_the_lookups_and_their_waiters() -> None:
    source = Source()
    source.gate.clear()
    (waiting,) = source.waiting("a")
    await step()
    await source.cache.close()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
