import pytest

from storage import ObjectNotFound, PreconditionFailed, StoreUnavailable
from storage.documents import CorruptRecord
from storage.identity import KEY, read_or_create_identity
from tests.lab.memory_store import MemoryStore


async def test_the_first_call_creates_the_identity() -> None:
    store = MemoryStore()
    first = await read_or_create_identity(store)
    assert len(first) == 32
    assert await read_or_create_identity(store) == first
    await store.delete(KEY)
    assert await read_or_create_identity(store) not in ("", first)


async def test_the_first_of_several_servers_chooses_it() -> None:
    store = MemoryStore()
    theirs = await read_or_create_identity(store)
    store.failures = {KEY: [ObjectNotFound("not yet"), PreconditionFailed("they were first")]}
    assert await read_or_create_identity(store) == theirs


async def test_a_damaged_identity_is_reported() -> None:
    store = MemoryStore()
    await store.put(KEY, b"")
    with pytest.raises(CorruptRecord, match=KEY):
        await read_or_create_identity(store)


async def test_the_stores_errors_propagate() -> None:
    store = MemoryStore()
    store.failing = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable):
        await read_or_create_identity(store)
