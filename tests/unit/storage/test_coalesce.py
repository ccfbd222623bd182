import asyncio

import pytest

from storage import ObjectNotFound, StoreUnavailable
from storage.coalesce import CoalescingReader
from tests.lab.clock import ManualClock
from tests.lab.memory_store import MemoryStore

SEGMENT = "live/a/b/v720p/1.m4s"
PLAYLIST = "live/a/b/v720p/media.m3u8"


async def filled(**bodies: int) -> MemoryStore:
    store = MemoryStore()
    for name, size in bodies.items():
        await store.put(f"{name}.m4s", b"x" * size)
    await store.put(SEGMENT, b"segment")
    await store.put(PLAYLIST, b"playlist")
    store.calls.clear()
    return store


@pytest.mark.parametrize("key", [SEGMENT, PLAYLIST])
async def test_simultaneous_gets_share_one_read(key: str) -> None:
    store = await filled()
    reader = CoalescingReader(store)
    found = await asyncio.gather(*(reader.get(key) for _ in range(100)))
    assert store.calls == [("get", key)]
    assert len({id(each) for each in found}) == 1


async def test_immutable_objects_are_cached_and_playlists_read_again() -> None:
    store = await filled()
    reader = CoalescingReader(store)
    for _ in range(3):
        assert (await reader.get(SEGMENT)).body == b"segment"
        assert (await reader.get(PLAYLIST)).body == b"playlist"
    assert store.keys_of("get").count(SEGMENT) == 1
    assert store.keys_of("get").count(PLAYLIST) == 3


async def test_the_cache_is_bounded_and_drops_the_least_recently_read() -> None:
    store = await filled(a=40, b=40, c=40)
    reader = CoalescingReader(store, cache_bytes=100)
    await reader.get("a.m4s")
    await reader.get("b.m4s")
    await reader.get("a.m4s")
    await reader.get("c.m4s")
    assert reader.weight == 80
    await reader.get("a.m4s")
    await reader.get("b.m4s")
    assert store.keys_of("get") == ["a.m4s", "b.m4s", "c.m4s", "b.m4s"]


async def test_an_object_larger_than_the_cache_is_not_cached() -> None:
    store = await filled(a=40, huge=101)
    reader = CoalescingReader(store, cache_bytes=100)
    await reader.get("a.m4s")
    assert len((await reader.get("huge.m4s")).body) == 101
    assert reader.weight == 40


async def test_a_missing_object_is_cached_briefly() -> None:
    store, clock = await filled(), ManualClock()
    reader = CoalescingReader(store, missing_s=0.5, clock=clock)
    for _ in range(3):
        with pytest.raises(ObjectNotFound):
            await reader.get("later.m4s")
    assert len(store.calls) == 1
    await store.put("later.m4s", b"here")
    clock.now += 0.5
    assert (await reader.get("later.m4s")).body == b"here"


async def test_cached_missing_objects_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.cached_lookup.MAX_MISSING", 2)
    store = await filled()
    reader = CoalescingReader(store, clock=ManualClock())
    for key in ("x", "y", "z", "z", "x"):
        with pytest.raises(ObjectNotFound):
            await reader.get(key)
    assert store.keys_of("get") == ["x", "y", "z", "x"]


async def test_a_read_continues_after_all_waiters_are_cancelled() -> None:
    store = await filled()
    store.hold[SEGMENT] = asyncio.Event()
    store.failures[PLAYLIST] = [StoreUnavailable("down")]
    reader = CoalescingReader(store)
    leavers = [asyncio.create_task(reader.get(key)) for key in (SEGMENT, PLAYLIST)]
    await asyncio.sleep(0)
    for leaver in leavers:
        leaver.cancel()
    await asyncio.wait(leavers)
    store.hold[SEGMENT].set()
    await reader.get(SEGMENT)
    assert store.keys_of("get").count(SEGMENT) == 1


async def test_reads_in_flight_are_bounded() -> None:
    store = await filled()
    store.hold[SEGMENT] = asyncio.Event()
    reader = CoalescingReader(store, max_reads=1)
    first = asyncio.create_task(reader.get(SEGMENT))
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="too many"):
        await reader.get(PLAYLIST)
    store.hold[SEGMENT].set()
    await first
    assert (await reader.get(PLAYLIST)).body == b"playlist"
