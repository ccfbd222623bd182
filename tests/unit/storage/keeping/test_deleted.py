"""Whether a broadcast is deleted, asked by any number of viewers."""

from storage.catalogue import Catalogue
from storage.catalogue.records import BroadcastRecord
from storage.interface import StoreUnavailable
from storage.keeping.deleted import FRESH_S, DeletedBroadcasts
from tests.lab.memory_store import MemoryStore

STREAM, GONE, THERE = "a", "20261101t000000z-aaaaaa", "20261102t000000z-bbbbbb"


async def test_the_records_are_read_once_in_a_while() -> None:
    store, now = MemoryStore(), 0.0
    catalogue = Catalogue(store)
    for broadcast, deleted_at in ((GONE, 1.0), (THERE, None)):
        await catalogue.put_broadcast(
            BroadcastRecord(stream=STREAM, broadcast=broadcast, started_at=0.0, deleted_at=deleted_at)
        )
    deleted = DeletedBroadcasts(catalogue, clock=lambda: now)
    store.calls.clear()
    for _ in range(3):
        assert await deleted.includes(STREAM, GONE)
        assert not await deleted.includes(STREAM, THERE)
        assert not await deleted.includes(STREAM, "20261103t000000z-cccccc")
        assert not await deleted.includes("..", GONE)
    assert len(store.calls) == 3
    store.failing = StoreUnavailable("down")
    now += FRESH_S
    assert not await deleted.includes(STREAM, GONE)
    await deleted.close()
