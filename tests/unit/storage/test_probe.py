import pytest

from storage import ObjectNotFound, StoredObject, StoreMisconfigured, StoreUnavailable
from storage.probe import probe
from tests.lab.memory_store import MemoryStore


async def test_a_good_store_passes_and_is_left_as_it_was() -> None:
    store = MemoryStore()
    await probe(store)
    assert store.objects == {}
    assert {verb for verb, _ in store.calls} == {"put", "get", "list", "delete"}


async def test_the_stores_own_errors_come_through() -> None:
    store = MemoryStore()
    store.failing = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable):
        await probe(store)


async def test_refusing_to_say_what_is_missing_is_found() -> None:
    class Secretive(MemoryStore):
        """As S3 answers those who may get but not list."""

        async def get(self, key: str) -> StoredObject:
            try:
                return await super().get(key)
            except ObjectNotFound:
                raise StoreMisconfigured("access denied") from None

    store = Secretive()
    with pytest.raises(StoreMisconfigured, match="access denied"):
        await probe(store)
    assert store.objects == {}


async def test_other_bytes_than_were_put_are_found() -> None:
    class Rewriting(MemoryStore):
        async def get(self, key: str) -> StoredObject:
            return StoredObject((await super().get(key)).info, b"rewritten")

    with pytest.raises(StoreMisconfigured, match="other bytes"):
        await probe(Rewriting())
