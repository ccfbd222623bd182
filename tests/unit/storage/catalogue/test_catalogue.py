import asyncio

import pytest
from structlog.testing import capture_logs

from storage import ObjectInfo, PreconditionFailed, StoreUnavailable
from storage.cached_lookup import MAX_LOOKUPS
from storage.catalogue import (
    BadStreamName,
    Catalogue,
    NoBackupKey,
    StreamExists,
    StreamNotFound,
)
from storage.catalogue.catalogue import Publisher
from storage.catalogue.records import BroadcastRecord, StreamRecord, StreamSettings
from storage.catalogue.stream_keys import key_hash
from storage.documents import CorruptRecord
from tests.lab.clock import ManualClock
from tests.lab.memory_store import MemoryStore
from tests.lab.waiting import run_until_idle

NOW = 1_800_000_000.0
RECORD = "catalogue/streams/studio-a.json"


def hash_of(key: str) -> str:
    hashed = key_hash(key)
    assert hashed is not None
    return hashed


def retitled(title: str) -> StreamSettings:
    return StreamSettings(title=title)


async def test_a_created_stream_is_found_by_name_and_by_key() -> None:
    store = MemoryStore()
    settings = StreamSettings(ladder="source", title="Studio A")
    record, key = await Catalogue(store).create_stream("studio-a", settings, now=NOW)
    other = Catalogue(store)
    assert await other.get_stream("studio-a") == record
    assert await other.find_by_key(key) == record
    assert await other.find_by_key(key.upper()) == record
    assert (record.settings, record.created_at, record.banned_until) == (settings, NOW, None)


async def test_the_store_never_contains_a_key_in_clear() -> None:
    store = MemoryStore()
    _, key = await Catalogue(store).create_stream("studio-a", now=NOW)
    for name, found in store.objects.items():
        assert name.startswith("catalogue/")
        assert found.info.cache_control == "private, no-store"
        for secret in (key, key.replace("-", "")):
            assert secret not in name and secret.encode() not in found.body


@pytest.mark.parametrize("name", ["", "Studio", "-a", "a-", "a/b", "..", "a" * 64, "a b"])
async def test_invalid_names_are_refused(name: str) -> None:
    store = MemoryStore()
    with pytest.raises(BadStreamName, match="lower-case"):
        await Catalogue(store).create_stream(name, now=NOW)
    with pytest.raises(StreamNotFound):
        await Catalogue(store).get_stream(name)
    assert store.calls == []


async def test_a_name_can_be_created_only_once() -> None:
    store = MemoryStore()
    catalogue = Catalogue(store)
    record, key = await catalogue.create_stream("studio-a", now=NOW)
    with pytest.raises(StreamExists):
        await Catalogue(store).create_stream("studio-a", now=NOW + 1)
    assert sorted(store.objects) == sorted([RECORD, f"catalogue/keys/{hash_of(key)}.json"])
    assert await catalogue.find_by_key(key) == record


async def test_one_of_many_concurrent_creations_wins() -> None:
    store = MemoryStore()
    results = await asyncio.gather(
        *(Catalogue(store).create_stream("studio-a", now=NOW) for _ in range(10)), return_exceptions=True
    )
    winners = [result for result in results if not isinstance(result, BaseException)]
    assert len(winners) == 1
    assert sum(isinstance(result, StreamExists) for result in results) == 9
    assert await Catalogue(store).find_by_key(winners[0][1]) == winners[0][0]


async def test_a_repeated_creation_after_a_lost_answer_succeeds() -> None:
    class Repeating(MemoryStore):
        async def put(self, key: str, body: bytes, **how: object) -> ObjectInfo:
            info = await super().put(key, body, **how)  # type: ignore[arg-type]
            if how.get("if_none_match"):
                raise PreconditionFailed("the retry met the first try")
            return info

    catalogue = Catalogue(Repeating())
    record, key = await catalogue.create_stream("studio-a", now=NOW)
    assert await catalogue.find_by_key(key) == record


async def test_streams_are_listed_by_name_without_damaged_ones() -> None:
    store = MemoryStore()
    catalogue = Catalogue(store)
    for name in ("b", "c", "a"):
        await catalogue.create_stream(name, now=NOW)
    await store.put("catalogue/streams/b.json", b"{")
    with capture_logs() as logs:
        assert [record.stream for record in await catalogue.list_streams()] == ["a", "c"]
    assert [entry["key"] for entry in logs] == ["catalogue/streams/b.json"]
    with pytest.raises(CorruptRecord, match=r"catalogue/streams/b\.json"):
        await catalogue.get_stream("b")


async def test_listing_reads_a_few_records_at_once() -> None:
    store = MemoryStore()
    catalogue = Catalogue(store)
    for number in range(20):
        await catalogue.create_stream(f"s{number:02d}", now=NOW)
    store.most_at_once = 0
    assert len(await catalogue.list_streams()) == 20
    assert 1 < store.most_at_once <= 8


async def test_concurrent_updates_are_both_applied() -> None:
    store = MemoryStore()
    first, second = Catalogue(store), Catalogue(store)
    await first.create_stream("studio-a", now=NOW)
    await asyncio.gather(
        first.ban("studio-a", NOW + 60),
        second.update_stream("studio-a", lambda r: r.model_copy(update={"settings": retitled("new")})),
    )
    record = await first.get_stream("studio-a")
    assert (record.banned_until, record.settings.title) == (NOW + 60, "new")


async def test_an_update_that_changes_nothing_writes_nothing() -> None:
    store = MemoryStore()
    catalogue = Catalogue(store)
    await catalogue.create_stream("studio-a", now=NOW)
    writes = len(store.keys_of("put"))
    await catalogue.update_stream("studio-a", lambda record: record)
    assert len(store.keys_of("put")) == writes


async def test_an_update_gives_up_if_others_keep_writing() -> None:
    store = MemoryStore()
    catalogue = Catalogue(store)
    await catalogue.create_stream("studio-a", now=NOW)
    store.failures[RECORD] = []

    def change(record: StreamRecord) -> StreamRecord:
        found = store.objects[RECORD]
        store.objects[RECORD] = type(found)(ObjectInfo(RECORD, 1, f"{found.info.etag}x", 0.0), found.body)
        return record.model_copy(update={"settings": retitled("mine")})

    with pytest.raises(StoreUnavailable, match="other writers"):
        await catalogue.update_stream("studio-a", change)


async def test_updating_an_unknown_stream_is_an_error() -> None:
    with pytest.raises(StreamNotFound, match="there is no stream studio-b"):
        await Catalogue(MemoryStore()).update_stream("studio-b", lambda record: record)


async def test_a_ban_is_set_and_lifted() -> None:
    catalogue = Catalogue(MemoryStore())
    await catalogue.create_stream("studio-a", now=NOW)
    assert (await catalogue.ban("studio-a", NOW + 60)).banned_until == NOW + 60
    assert (await catalogue.get_stream("studio-a")).banned_until == NOW + 60
    assert (await catalogue.ban("studio-a", None)).banned_until is None


async def test_after_rotation_only_the_new_key_is_valid() -> None:
    store = MemoryStore()
    catalogue = Catalogue(store)
    _, old = await catalogue.create_stream("studio-a", now=NOW)
    new = await catalogue.rotate_key("studio-a", now=NOW + 60)
    for reader in (catalogue, Catalogue(store)):
        assert await reader.find_by_key(old) is None
        found = await reader.find_by_key(new)
        assert found is not None and found.key_hashes == (hash_of(new),)
    assert len([key for key in store.objects if key.startswith("catalogue/keys/")]) == 1


async def test_a_backup_key_is_valid_beside_the_primarys() -> None:
    store = MemoryStore()
    catalogue = Catalogue(store)
    _, primary = await catalogue.create_stream("studio-a", now=NOW)
    old = await catalogue.rotate_backup_key("studio-a", now=NOW + 60)
    backup = await catalogue.rotate_backup_key("studio-a", now=NOW + 120)
    primary = await catalogue.rotate_key("studio-a", now=NOW + 180)
    for reader in (catalogue, Catalogue(store)):
        assert await reader.find_publisher(old) is None
        record = await reader.get_stream("studio-a")
        assert await reader.find_publisher(primary) == Publisher(record, record.keys[0])
        assert await reader.find_publisher(backup) == Publisher(record, record.keys[1])
        assert (record.backup_key_hash, record.backup_key_created_at) == (hash_of(backup), NOW + 120)
    assert len([key for key in store.objects if key.startswith("catalogue/keys/")]) == 2
    assert backup not in str(store.objects)


async def test_a_removed_backup_key_is_revoked_at_once() -> None:
    store = MemoryStore()
    catalogue = Catalogue(store)
    _, primary = await catalogue.create_stream("studio-a", now=NOW)
    backup = await catalogue.rotate_backup_key("studio-a", now=NOW)
    await catalogue.remove_backup_key("studio-a")
    assert await catalogue.find_publisher(backup) is None
    assert await catalogue.find_publisher(primary) is not None
    assert len([key for key in store.objects if key.startswith("catalogue/keys/")]) == 1
    with pytest.raises(NoBackupKey, match="studio-a has no backup key"):
        await catalogue.remove_backup_key("studio-a")
    for call in (catalogue.remove_backup_key("b"), catalogue.rotate_backup_key("b", now=NOW)):
        with pytest.raises(StreamNotFound):
            await call


async def test_a_deleted_stream_leaves_no_backup_key() -> None:
    store = MemoryStore()
    catalogue = Catalogue(store)
    await catalogue.create_stream("studio-a", now=NOW)
    await catalogue.rotate_backup_key("studio-a", now=NOW)
    await catalogue.delete_stream("studio-a")
    assert store.objects == {}


async def test_rotating_the_key_of_an_unknown_stream_stores_nothing() -> None:
    store = MemoryStore()
    with pytest.raises(StreamNotFound):
        await Catalogue(store).rotate_key("studio-b", now=NOW)
    assert store.objects == {}


async def test_the_record_has_the_age_of_its_newest_key() -> None:
    catalogue = Catalogue(MemoryStore())
    created, _ = await catalogue.create_stream("studio-a", now=NOW)
    assert created.key_created_at == NOW
    await catalogue.rotate_key("studio-a", now=NOW + 60)
    assert (await catalogue.get_stream("studio-a")).key_created_at == NOW + 60


async def test_the_record_has_the_time_at_which_the_stream_was_last_live() -> None:
    catalogue = Catalogue(MemoryStore())
    created, _ = await catalogue.create_stream("studio-a", now=NOW)
    assert created.last_live_at is None
    broadcast = BroadcastRecord(stream="studio-a", broadcast="20261121t104105z-ab12cd", started_at=NOW + 5)
    await catalogue.put_broadcast(broadcast)
    assert (await catalogue.get_stream("studio-a")).last_live_at == NOW + 5
    await catalogue.put_broadcast(broadcast.model_copy(update={"ended_at": NOW + 65}))
    assert (await catalogue.get_stream("studio-a")).last_live_at == NOW + 65


async def test_a_broadcast_is_recorded_although_its_stream_was_deleted() -> None:
    catalogue = Catalogue(MemoryStore())
    broadcast = BroadcastRecord(stream="studio-a", broadcast="20261121t104105z-ab12cd", started_at=NOW)
    await catalogue.put_broadcast(broadcast)
    assert await catalogue.list_broadcasts("studio-a") == [broadcast]


async def test_delete_keeps_the_recordings() -> None:
    store = MemoryStore()
    catalogue = Catalogue(store)
    media = ["live/studio-a/master.m3u8", "live/studio-a/b/v720p/1.m4s"]
    broadcast = BroadcastRecord(stream="studio-a", broadcast="20261121t104105z-ab12cd", started_at=NOW)
    for key in media:
        await store.put(key, b"x")
    await catalogue.put_broadcast(broadcast)

    _, key = await catalogue.create_stream("studio-a", now=NOW)
    await catalogue.delete_stream("studio-a")
    assert await catalogue.find_by_key(key) is None
    with pytest.raises(StreamNotFound):
        await catalogue.delete_stream("studio-a")
    assert set(media) < set(store.objects)
    assert await catalogue.list_broadcasts("studio-a") == [broadcast]


async def test_a_failed_deletion_can_be_repeated() -> None:
    store = MemoryStore()
    catalogue = Catalogue(store)
    _, key = await catalogue.create_stream("studio-a", now=NOW)
    store.failures[f"catalogue/keys/{hash_of(key)}.json"] = [StoreUnavailable("down")]
    with pytest.raises(StoreUnavailable):
        await catalogue.delete_stream("studio-a")
    await catalogue.delete_stream("studio-a")
    assert store.objects == {}


@pytest.mark.parametrize("typed", ["", "live", "a" * 24, "../../streams/studio-a"])
async def test_unknown_keys_are_refused(typed: str) -> None:
    catalogue = Catalogue(MemoryStore())
    await catalogue.create_stream("studio-a", now=NOW)
    assert await catalogue.find_by_key(typed) is None


async def test_a_key_object_without_its_stream_is_not_valid() -> None:
    store = MemoryStore()
    catalogue = Catalogue(store)
    _, key = await catalogue.create_stream("studio-a", now=NOW)
    left = dict(store.objects)
    await catalogue.rotate_key("studio-a", now=NOW + 60)
    pointer = f"catalogue/keys/{hash_of(key)}.json"
    store.objects[pointer] = left[pointer]
    assert await Catalogue(store).find_by_key(key) is None


async def test_known_keys_are_accepted_while_the_store_is_down() -> None:
    store, clock = MemoryStore(), ManualClock()
    catalogue = Catalogue(store, clock=clock)
    record, key = await catalogue.create_stream("studio-a", now=NOW)
    store.failing = StoreUnavailable("down")
    clock.now += 3600
    assert await catalogue.find_by_key(key) == record
    with pytest.raises(StoreUnavailable):
        await Catalogue(store).find_by_key(key)


async def test_listed_streams_are_known_while_the_store_is_down() -> None:
    store = MemoryStore()
    record, key = await Catalogue(store).create_stream("studio-a", now=NOW)
    catalogue = Catalogue(store)
    await catalogue.list_streams()
    store.failing = StoreUnavailable("down")
    assert await catalogue.find_by_key(key) == record


async def test_a_hanging_store_does_not_block_a_known_key() -> None:
    store, clock = MemoryStore(), ManualClock()
    catalogue = Catalogue(store, timeout_s=0.01, clock=clock)
    record, key = await catalogue.create_stream("studio-a", now=NOW)
    store.hold[RECORD] = asyncio.Event()
    clock.now += 3600
    assert await catalogue.find_by_key(key) == record


async def test_a_known_record_is_cached_for_a_few_seconds() -> None:
    store, clock = MemoryStore(), ManualClock()
    catalogue = Catalogue(store, fresh_s=5.0, clock=clock)
    _, key = await catalogue.create_stream("studio-a", now=NOW)
    await Catalogue(store).rotate_key("studio-a", now=NOW + 60)
    store.calls.clear()
    clock.now += 4.9
    assert await catalogue.find_by_key(key) is not None
    assert store.calls == []
    clock.now += 0.1
    assert await catalogue.find_by_key(key) is None


async def test_a_stream_deleted_by_another_process_is_noticed() -> None:
    store, clock = MemoryStore(), ManualClock()
    catalogue = Catalogue(store, clock=clock)
    _, key = await catalogue.create_stream("studio-a", now=NOW)
    await Catalogue(store).delete_stream("studio-a")
    clock.now += 10
    assert await catalogue.find_by_key(key) is None
    store.failing = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable):
        await catalogue.find_by_key(key)


async def test_all_publishers_may_reconnect_at_once() -> None:
    store = MemoryStore()
    keys = [(await Catalogue(store).create_stream(f"s{number}", now=NOW))[1] for number in range(MAX_LOOKUPS + 1)]
    catalogue = Catalogue(store)
    found = await asyncio.gather(*(catalogue.find_by_key(key) for key in keys))
    assert None not in found


async def test_known_records_are_bounded() -> None:
    store = MemoryStore()
    catalogue = Catalogue(store, max_cached=2)
    keys = [(await catalogue.create_stream(f"s{number}", now=NOW))[1] for number in range(3)]
    store.failing = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable):
        await catalogue.find_by_key(keys[0])
    assert await catalogue.find_by_key(keys[1]) is not None
    assert await catalogue.find_by_key(keys[2]) is not None


async def test_broadcasts_are_listed_newest_first() -> None:
    catalogue = Catalogue(MemoryStore())
    ids = [f"2026112{day}t104105z-ab12cd" for day in range(4)]
    for number, broadcast in enumerate(ids):
        await catalogue.put_broadcast(
            BroadcastRecord(stream="studio-a", broadcast=broadcast, started_at=NOW + number, tracks=("v720p",))
        )
        await catalogue.put_broadcast(BroadcastRecord(stream="studio-ab", broadcast=broadcast, started_at=NOW))
    listed = await catalogue.list_broadcasts("studio-a")
    assert [(record.stream, record.broadcast) for record in listed] == [
        ("studio-a", each) for each in reversed(ids)
    ]
    assert [record.broadcast for record in await catalogue.list_broadcasts("studio-a", limit=2)] == ids[:1:-1]
    assert await catalogue.list_broadcasts("studio-c") == []
    assert await catalogue.list_broadcasts("../streams") == []


async def test_a_list_has_what_was_changed_before_it_was_asked_for() -> None:
    """A list that began before the change is not shared."""
    store = MemoryStore()
    catalogue = Catalogue(store)
    await catalogue.create_stream("a", now=NOW)
    held = store.hold["catalogue/streams/a.json"] = asyncio.Event()
    earlier = asyncio.ensure_future(catalogue.find_streams())
    await run_until_idle()
    await catalogue.create_stream("b", now=NOW)
    held.set()
    assert [record.stream for record in await catalogue.find_streams()] == ["a", "b"]
    assert [record.stream for record in await earlier] == ["a"]
