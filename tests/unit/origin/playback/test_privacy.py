"""How old the answer may be whether a stream is private, through the cache and the catalogue."""

from origin.playback import PrivacyCache
from storage.catalogue import Catalogue
from storage.catalogue.records import StreamRecord, StreamSettings
from storage.interface import StoreUnavailable
from tests.lab.memory_store import MemoryStore

NOW = 1_795_257_665.0


class Origin:
    """An origin, while another one writes to the same store."""

    def __init__(self) -> None:
        self.now = 100.0
        self.store = MemoryStore()
        self.writer = Catalogue(self.store)
        catalogue = Catalogue(self.store, clock=lambda: self.now)
        self.privacy = PrivacyCache(catalogue.is_private, clock=lambda: self.now)

    async def make_private(self, stream: str) -> None:
        def change(record: StreamRecord) -> StreamRecord:
            return record.model_copy(update={"settings": StreamSettings(private=True)})

        await self.writer.update_stream(stream, change)


async def test_an_answer_is_at_most_five_seconds_old() -> None:
    origin = Origin()
    await origin.writer.create_stream("a", now=NOW)
    assert await origin.privacy.get("a") is False
    origin.now += 2.4
    assert await origin.privacy.get("a") is False
    await origin.make_private("a")
    origin.now += 2.6
    assert await origin.privacy.get("a") is True


async def test_answers_are_cached_for_a_while() -> None:
    origin = Origin()
    await origin.writer.create_stream("a", now=NOW)
    origin.store.calls.clear()
    for _ in range(50):
        assert await origin.privacy.get("a") is False
    assert len(origin.store.calls) == 1


async def test_a_failing_store_changes_no_answer() -> None:
    origin = Origin()
    await origin.writer.create_stream("a", StreamSettings(private=True), now=NOW)
    assert await origin.privacy.get("a") is True
    origin.store.failing = StoreUnavailable("down")
    for _ in range(3):
        origin.now += 3600
        assert await origin.privacy.get("a") is True
