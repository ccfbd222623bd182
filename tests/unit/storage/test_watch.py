import asyncio

import pytest

from storage import StoreUnavailable
from storage.watch import StoreTrouble, StoreWatch
from tests.lab.memory_store import MemoryStore


class Restored:
    """Counts the calls; the first ``failures`` of them raise."""

    def __init__(self, failures: int = 0) -> None:
        self.calls = 0
        self.failures = failures
        self.done = asyncio.Event()

    async def __call__(self) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise StoreUnavailable("down")
        self.done.set()


async def looks(store: MemoryStore, count: int) -> None:
    """Wait until the identity was read this many times more."""
    end = len(store.keys_of("identify")) + count
    while len(store.keys_of("identify")) < end:
        await asyncio.sleep(0)


@pytest.mark.parametrize("failures", [0, 2])
async def test_another_identity_is_reported_until_it_is_dealt_with(failures: int) -> None:
    store, restored = MemoryStore(), Restored(failures)
    watch = StoreWatch(store, restored, every_s=0)
    await watch.start()
    await looks(store, 3)
    assert restored.calls == 0
    store.identity = "second"
    await restored.done.wait()
    await looks(store, 3)
    assert restored.calls == failures + 1
    await watch.close()


async def test_a_store_that_fails_for_a_while_is_the_same_store() -> None:
    store, restored = MemoryStore(), Restored()
    watch = StoreWatch(store, restored, every_s=0)
    await watch.start()
    store.failing = StoreUnavailable("down")
    await looks(store, 3)
    store.failing = None
    await looks(store, 3)
    await watch.close()
    assert restored.calls == 0


async def test_the_start_needs_the_identity() -> None:
    store = MemoryStore()
    store.failing = StoreUnavailable("down")
    watch = StoreWatch(store, Restored())
    with pytest.raises(StoreUnavailable):
        await watch.start()
    await watch.close()


async def test_the_begin_and_the_end_of_a_trouble_are_reported_once() -> None:
    store, troubles = MemoryStore(), list[tuple[StoreTrouble, str]]()
    watch = StoreWatch(
        store, Restored(failures=2), every_s=0, on_trouble=lambda trouble, text: troubles.append((trouble, text))
    )
    await watch.start()
    store.failures[""] = [StoreUnavailable("blip")]
    await looks(store, 3)
    assert troubles == []
    store.failing = StoreUnavailable("down")
    await looks(store, 5)
    assert troubles == [(StoreTrouble.AWAY, "down")]
    store.failing = None
    await looks(store, 3)
    store.identity = "second"
    await looks(store, 6)
    await watch.close()
    assert [trouble for trouble, _ in troubles] == [StoreTrouble.AWAY, StoreTrouble.BACK, StoreTrouble.REPLACED]
