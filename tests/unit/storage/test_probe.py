import pytest

from storage import ObjectNotFound, StoredObject, StoreMisconfigured, StoreUnavailable
from storage.probe import probe
from tests.lab.memory_store import MemoryStore


async def test_a_good_store_passes_and_is_left_unchanged() -> None:
    store = MemoryStore()
    await probe(store)
    assert store.objects == {}
    assert {verb for verb, _ in store.calls} == {"put", "get", "list", "delete"}


async def test_the_stores_own_errors_propagate() -> None:
    store = MemoryStore()
    store.failing = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable):
        await probe(store)


async def test_a_store_that_denies_access_to_missing_objects_is_detected() -> None:
    class Denying(MemoryStore):
        """S3 answers this way if the caller may get but not list."""

        async def get(self, key: str) -> StoredObject:
            try:
                return await super().get(key)
            except ObjectNotFound:
                raise StoreMisconfigured("access denied") from None

    store = Denying()
    with pytest.raises(StoreMisconfigured, match="access denied"):
        await probe(store)
    assert store.objects == {}


async def test_a_store_that_returns_other_bytes_is_detected() -> None:
    class Rewriting(MemoryStore):
        async def get(self, key: str) -> StoredObject:
            return StoredObject((await super().get(key)).info, b"rewritten")

    with pytest.raises(StoreMisconfigured, match="other bytes"):
        await probe(Rewriting())
