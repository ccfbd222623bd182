"""The playback secret in the store."""

import asyncio
import json

import pytest

from origin.playback import PlaybackSecret, derive_keys
from origin.playback.secret import SECRET_KEY
from storage.documents import CorruptRecord
from storage.interface import ObjectInfo, PreconditionFailed, StoreUnavailable
from tests.lab.memory_store import MemoryStore
from tests.unit.origin.playback.keys import NOW


def secret(store: MemoryStore) -> PlaybackSecret:
    return PlaybackSecret(store, lambda: NOW)


async def test_the_first_process_creates_the_secret_and_all_share_it() -> None:
    store = MemoryStore()
    first = await secret(store).keys()
    assert await secret(store).keys() == first
    assert store.puts == [SECRET_KEY]
    made = json.loads(store.body(SECRET_KEY))
    assert made["created_at"] == NOW
    assert derive_keys(bytes.fromhex(made["secret"])) == first
    assert store.objects[SECRET_KEY].info.cache_control == "private, no-store"
    assert not SECRET_KEY.startswith("live/")


async def test_two_stores_have_different_secrets() -> None:
    assert await secret(MemoryStore()).keys() != await secret(MemoryStore()).keys()


async def test_one_of_many_concurrent_processes_creates_the_secret() -> None:
    class Slow(MemoryStore):
        async def get(self, key: str):  # type: ignore[no-untyped-def]
            await asyncio.sleep(0)
            return await super().get(key)

    store = Slow()
    keys = await asyncio.gather(*(secret(store).keys() for _ in range(10)))
    assert len(set(keys)) == 1
    assert store.puts == [SECRET_KEY]


async def test_a_put_whose_answer_was_lost_is_not_an_error() -> None:
    class Repeating(MemoryStore):
        async def put(self, key: str, body: bytes, **how: object) -> ObjectInfo:
            await super().put(key, body, **how)  # type: ignore[arg-type]
            raise PreconditionFailed("the retry met the first try")

    store = Repeating()
    assert await secret(store).keys() == await secret(store).keys()


async def test_the_secret_is_read_once() -> None:
    store = MemoryStore()
    one = secret(store)
    keys = await one.keys()
    store.failing = StoreUnavailable("down")
    assert await one.keys() is keys
    with pytest.raises(StoreUnavailable):
        await secret(store).keys()


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"secret": "abcd", "created_at": 1}'])
async def test_a_damaged_secret_is_not_replaced(body: bytes) -> None:
    store = MemoryStore()
    await store.put(SECRET_KEY, body)
    with pytest.raises(CorruptRecord, match="playback"):
        await secret(store).keys()
    assert store.body(SECRET_KEY) == body
