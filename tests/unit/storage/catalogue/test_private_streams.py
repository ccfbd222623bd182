"""Whether a stream is private, also after its deletion."""

import pytest

from storage.catalogue import Catalogue
from storage.catalogue.records import StreamSettings
from storage.interface import StoreUnavailable
from tests.lab.memory_store import MemoryStore

NOW = 1_795_257_665.0
MARK = "catalogue/private/a.json"


async def made(*, private: bool) -> tuple[MemoryStore, Catalogue]:
    store = MemoryStore()
    catalogue = Catalogue(store)
    await catalogue.create_stream("a", StreamSettings(private=private), now=NOW)
    return store, catalogue


async def is_private(store: MemoryStore, stream: str = "a") -> bool:
    return await Catalogue(store).is_private(stream)


@pytest.mark.parametrize("private", [True, False])
async def test_privacy_follows_the_settings_and_outlives_deletion(private: bool) -> None:
    store, catalogue = await made(private=private)
    assert await is_private(store) is await catalogue.is_private("a") is private
    await catalogue.delete_stream("a")
    assert await is_private(store) is await catalogue.is_private("a") is private
    assert (MARK in store.objects) is private


async def test_a_recreated_stream_follows_its_new_settings() -> None:
    store, catalogue = await made(private=True)
    await catalogue.delete_stream("a")
    await catalogue.create_stream("a", now=NOW)
    assert await is_private(store) is False


@pytest.mark.parametrize("stream", ["b", "../streams/a", ""])
async def test_a_stream_that_never_existed_is_public(stream: str) -> None:
    store, _ = await made(private=True)
    assert await is_private(store, stream) is False


async def test_while_the_store_is_down_no_stream_becomes_public() -> None:
    store, catalogue = await made(private=True)
    store.failing = StoreUnavailable("down")
    assert await catalogue.is_private("a") is True
    with pytest.raises(StoreUnavailable):
        await is_private(store)
