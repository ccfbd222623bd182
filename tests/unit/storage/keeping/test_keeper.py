"""The deletion of recordings: what goes, in which order, and how it continues after a failure."""

import asyncio
from dataclasses import dataclass, field

import pytest

from cluster.memory import MemoryCluster, MemoryState
from storage.catalogue import BroadcastNotFound, Catalogue, StreamNotFound, StreamPurging
from storage.catalogue.events import Event, EventRecord, events_object
from storage.catalogue.records import BroadcastRecord, Retention, StreamSettings
from storage.documents import encode_document
from storage.interface import StoreMisconfigured, StoreUnavailable
from storage.keeping import BroadcastInUse, BroadcastKept, Cause, Keeper
from storage.keeping.keeper import FIRST_SWEEP_S, INTERRUPTED_AFTER_S, QUIET_S
from storage.keeping.removal import BATCH
from tests.lab.keepers import SPACE, Deletions, make_keeper
from tests.lab.memory_store import MemoryStore
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import node
from tests.unit.origin.api.live import status

NOW = 1_795_257_665.0
DAY = 86_400.0
OLD, NEW = "20261101t000000z-aaaaaa", "20261110t000000z-bbbbbb"
DOWN = StoreUnavailable("down")


@dataclass(slots=True)
class Stage:
    """A store with a stream and its recordings."""

    retention: Retention = field(default_factory=Retention)
    store: MemoryStore = field(default_factory=MemoryStore)
    deletions: Deletions = field(default_factory=Deletions)
    now: float = NOW
    catalogue: Catalogue = field(init=False)
    cluster: MemoryCluster = field(init=False)
    keeper: Keeper = field(init=False)

    def __post_init__(self) -> None:
        self.catalogue, self.cluster = Catalogue(self.store), MemoryState().join(node("a"))
        self.keeper = make_keeper(
            self.store,
            self.catalogue,
            self.cluster,
            lambda: self.now,
            retention=self.retention,
            deletions=self.deletions,
        )

    async def record(
        self, broadcast: str, *, stream: str = "a", ended: bool = True, segments: int = 3, current: bool = False
    ) -> None:
        """A recording of a minute that ended ten days ago."""
        prefix = f"live/{stream}/{broadcast}"
        for number in range(segments):
            await self.store.put(f"{prefix}/vsource/{number}.m4s", b"12345")
        for name in ("master.m3u8", "manifest.mpd", "vsource/media.m3u8", "vsource/init-1.mp4"):
            await self.store.put(f"{prefix}/{name}", b"text")
        await self.store.put(f"catalogue/events/{stream}/{broadcast}.json", b"{}")
        if current:
            for name in ("master.m3u8", "manifest.mpd"):
                await self.store.put(f"live/{stream}/{name}", f"{broadcast}/vsource/media.m3u8".encode())
        start = self.now - 10 * DAY
        await self.catalogue.put_broadcast(
            BroadcastRecord(
                stream=stream,
                broadcast=broadcast,
                started_at=start,
                ended_at=start + 60 if ended else None,
                duration_s=60.0,
                bytes=1000,
                tracks=("vsource",),
            )
        )

    def keys_of(self, broadcast: str) -> list[str]:
        return [key for key in self.store.objects if broadcast in key]


async def test_a_deleted_recording_goes_and_the_rest_stays() -> None:
    stage = Stage()
    await stage.record(OLD)
    await stage.record(NEW, current=True)
    stays = set(stage.keys_of(NEW))
    await stage.keeper.delete("a", OLD)
    assert [each.broadcast for each in await stage.catalogue.list_broadcasts("a")] == [NEW]
    assert stage.keys_of(OLD)
    assert await stage.keeper.work() is False
    assert stage.keys_of(OLD) == []
    assert stays | {"live/a/master.m3u8", "live/a/manifest.mpd"} == set(stage.store.objects)
    ((recording, removed),) = stage.deletions.recordings
    assert (recording.name, recording.deleted_for) == (("a", OLD), "request")
    assert (removed.objects, removed.bytes) == (7, 3 * 5 + 4 * 4)
    assert sorted(stage.deletions.keys) == sorted(
        f"live/a/{OLD}/{name}"
        for name in (
            "master.m3u8",
            "manifest.mpd",
            "vsource/media.m3u8",
            "vsource/init-1.mp4",
            *(f"vsource/{number}.m4s" for number in range(3)),
        )
    )


async def test_playlists_go_first_and_the_record_last() -> None:
    stage = Stage()
    await stage.record(OLD, current=True)
    await stage.keeper.delete("a", OLD)
    stage.store.calls.clear()
    await stage.keeper.work()
    deleted = stage.store.keys_of("delete")
    texts = [key for key in deleted if key.endswith((".m3u8", ".mpd"))]
    media = [key for key in deleted if key.endswith((".m4s", ".mp4"))]
    records = [f"catalogue/events/a/{OLD}.json", f"catalogue/broadcasts/a/{OLD}.json"]
    assert deleted == [*texts, *media, *records]
    assert texts[:2] == ["live/a/master.m3u8", "live/a/manifest.mpd"]
    assert (len(texts), len(media)) == (5, 4)


@pytest.mark.parametrize("failing", [f"live/a/{OLD}/master.m3u8", f"live/a/{OLD}/vsource/1.m4s"])
async def test_an_interrupted_deletion_is_finished_by_the_next_server(failing: str) -> None:
    stage = Stage()
    await stage.record(OLD)
    await stage.keeper.delete("a", OLD)
    stage.store.failures[failing] = [DOWN]
    with pytest.raises(StoreUnavailable):
        await stage.keeper.work()
    assert f"catalogue/broadcasts/a/{OLD}.json" in stage.store.objects
    other = make_keeper(stage.store, Catalogue(stage.store), stage.cluster, lambda: NOW)
    await other.work()
    assert stage.store.objects == {}


async def test_a_long_recording_is_deleted_in_batches() -> None:
    stage = Stage()
    await stage.record(OLD, segments=2 * BATCH + 1)
    await stage.keeper.delete("a", OLD)
    await stage.keeper.work()
    assert stage.keys_of(OLD) == []
    assert stage.deletions.recordings[0][1].objects == 2 * BATCH + 5


async def test_what_is_on_air_cannot_be_deleted() -> None:
    stage = Stage()
    await stage.record(OLD)
    await stage.cluster.claim("a", OLD, FakeOwner(status("a")))
    with pytest.raises(BroadcastInUse, match="end it first"):
        await stage.keeper.delete("a", OLD)
    assert (await stage.catalogue.get_broadcast("a", OLD)).deleted_at is None


async def test_an_interrupted_broadcast_can_be_deleted_once_nothing_writes_it() -> None:
    stage = Stage()
    await stage.record(OLD, ended=False)
    changed = stage.now - 10 * DAY
    stage.now = changed + QUIET_S - 1
    with pytest.raises(BroadcastInUse):
        await stage.keeper.delete("a", OLD)
    stage.now = changed + QUIET_S + 1
    await stage.keeper.delete("a", OLD)


async def test_a_kept_recording_cannot_be_deleted_until_it_is_released() -> None:
    stage = Stage(Retention(max_count=0))
    await stage.record(OLD)
    await stage.keeper.keep("a", OLD, kept=True)
    assert await stage.keeper.sweep() == []
    with pytest.raises(BroadcastKept):
        await stage.keeper.delete("a", OLD)
    await stage.keeper.keep("a", OLD, kept=False)
    assert [each.cause for each in await stage.keeper.sweep()] == [Cause.MAX_COUNT]


async def test_the_end_of_a_broadcast_does_not_release_it() -> None:
    stage = Stage()
    await stage.record(OLD, ended=False)
    await stage.keeper.keep("a", OLD, kept=True)
    await stage.record(OLD)
    record = await stage.catalogue.get_broadcast("a", OLD)
    assert record.kept
    assert record.ended_at is not None


async def test_unknown_and_deleted_recordings_are_not_found() -> None:
    stage = Stage()
    await stage.record(OLD)
    await stage.keeper.delete("a", OLD)
    for broadcast in (OLD, NEW, "x"):
        with pytest.raises(BroadcastNotFound):
            await stage.keeper.delete("a", broadcast)
        with pytest.raises(BroadcastNotFound):
            await stage.keeper.keep("a", broadcast, kept=True)


async def test_a_sweep_marks_what_the_retention_does_not_cover() -> None:
    stage = Stage(Retention(max_count=1))
    await stage.record(OLD)
    await stage.record(NEW)
    for dry_run in (True, False):
        (found,) = await stage.keeper.sweep(dry_run=dry_run)
        assert (found.recording.name, found.cause) == (("a", OLD), Cause.MAX_COUNT)
    assert await stage.keeper.sweep() == []
    await stage.keeper.work()
    assert stage.keys_of(OLD) == []
    assert stage.keys_of(NEW)
    assert stage.deletions.recordings[0][0].deleted_for == "max-count"


async def test_a_streams_own_retention_replaces_the_servers() -> None:
    stage = Stage(Retention(max_count=0))
    await stage.catalogue.create_stream("a", StreamSettings(retention=Retention()), now=NOW)
    await stage.catalogue.create_stream("b", StreamSettings(retention=Retention(max_size=1000)), now=NOW)
    for stream in ("a", "b", "c"):
        for broadcast in (OLD, NEW):
            await stage.record(broadcast, stream=stream)
    gone = [each.recording.name for each in await stage.keeper.sweep()]
    assert gone == [("b", OLD), ("c", OLD), ("c", NEW)]


async def test_the_recordings_of_a_stream_with_a_damaged_record_stay() -> None:
    stage = Stage(Retention(max_count=0))
    await stage.record(OLD)
    await stage.store.put("catalogue/streams/a.json", b"{")
    assert await stage.keeper.sweep() == []


async def test_an_interrupted_broadcast_is_swept_after_a_day_without_a_change() -> None:
    stage = Stage(Retention(max_count=0))
    await stage.record(OLD, ended=False)
    changed = stage.now - 10 * DAY
    stage.now = changed + INTERRUPTED_AFTER_S
    assert await stage.keeper.sweep() == []
    stage.now += 2 * DAY
    assert len(await stage.keeper.sweep()) == 1


async def test_a_running_keeper_sweeps_soon_after_its_start() -> None:
    stage = Stage(Retention(max_count=0))
    await stage.record(OLD)
    assert await stage.keeper.work() is False
    assert stage.keys_of(OLD)
    stage.now += FIRST_SWEEP_S
    await stage.keeper.work()
    assert stage.keys_of(OLD) == []


async def test_a_request_wakes_the_keeper() -> None:
    stage = Stage()
    await stage.record(OLD)
    stage.keeper.start()
    await stage.keeper.delete("a", OLD)
    async with asyncio.timeout(5):
        while stage.keys_of(OLD):
            await asyncio.sleep(0)
    await stage.keeper.close()


async def test_a_purge_deletes_everything_of_a_stream_once_it_is_off_air() -> None:
    stage = Stage()
    await stage.catalogue.create_stream("a", StreamSettings(private=True), now=NOW)
    await stage.record(OLD, current=True)
    await stage.record(NEW, stream="ab")
    others = {key for key in stage.store.objects if "/ab/" in key}
    claim = await stage.cluster.claim("a", OLD, FakeOwner(status("a")))
    await stage.keeper.begin_purge("a")
    assert await stage.keeper.work() is True
    assert stage.keys_of(OLD)
    assert await stage.catalogue.is_private("a")
    with pytest.raises(StreamNotFound):
        await stage.catalogue.get_stream("a")
    with pytest.raises(StreamPurging):
        await stage.catalogue.create_stream("a", now=NOW)
    await stage.cluster.release(claim)
    assert await stage.keeper.work() is False
    assert set(stage.store.objects) == others
    assert stage.deletions.streams[0][0] == "a"
    await stage.catalogue.create_stream("a", now=NOW)


async def test_an_interrupted_purge_goes_on() -> None:
    stage = Stage()
    await stage.catalogue.create_stream("a", now=NOW)
    await stage.record(OLD)
    await stage.keeper.begin_purge("a")
    stage.store.failures[f"live/a/{OLD}/vsource/2.m4s"] = [DOWN]
    with pytest.raises(StoreUnavailable):
        await stage.keeper.work()
    other = make_keeper(stage.store, Catalogue(stage.store), stage.cluster, lambda: NOW)
    await other.work()
    assert stage.store.objects == {}


async def test_the_recordings_of_a_deleted_stream_can_be_purged() -> None:
    stage = Stage()
    await stage.record(OLD)
    await stage.keeper.begin_purge("a")
    await stage.keeper.work()
    assert stage.store.objects == {}
    for stream in ("a", "../a"):
        with pytest.raises(StreamNotFound):
            await stage.keeper.begin_purge(stream)


async def test_a_new_broadcasts_own_playlists_stay() -> None:
    stage = Stage()
    await stage.record(OLD, current=True)
    await stage.cluster.claim("a", NEW, FakeOwner(status("a")))
    await stage.keeper.delete("a", OLD)
    await stage.keeper.work()
    assert set(stage.store.objects) == {"live/a/master.m3u8", "live/a/manifest.mpd"}


async def test_the_use_is_read_from_the_records_and_only_from_changed_ones() -> None:
    stage = Stage()
    await stage.record(OLD)
    await stage.record(NEW)
    await stage.record(NEW, stream="b")
    await stage.keeper.keep("a", NEW, kept=True)
    usage = await stage.keeper.usage()
    assert (usage.bytes, usage.recordings, usage.space) == (3000, 3, SPACE)
    assert [(each.stream, each.bytes, each.recordings, each.kept) for each in usage.streams] == [
        ("a", 2000, 2, 1),
        ("b", 1000, 1, 0),
    ]
    stage.store.calls.clear()
    assert await stage.keeper.usage() is usage
    stage.now += 60
    await stage.keeper.keep("b", NEW, kept=True)
    stage.store.calls.clear()
    assert (await stage.keeper.usage()).streams[1].kept == 1
    assert stage.store.calls == [
        ("list", "catalogue/broadcasts/"),
        ("get", f"catalogue/broadcasts/b/{NEW}.json"),
    ]


async def test_what_happens_to_a_recording_is_in_its_event_log() -> None:
    stage = Stage()
    await stage.record(OLD)
    ended = Event(number=3, at=1.0, code="ended", text="the broadcast ended")
    for complete in (False, True):
        log = EventRecord(stream="a", broadcast=OLD, events=(ended,), complete=complete)
        await stage.store.put(events_object("a", OLD), encode_document(log))
        await stage.keeper.keep("a", OLD, kept=True)
    await stage.keeper.keep("a", OLD, kept=False)
    await stage.keeper.delete("a", OLD)
    found = await stage.catalogue.find_events("a", OLD)
    assert [(event.number, event.code) for event in found.events] == [
        (3, "ended"),
        (4, "kept"),
        (5, "released"),
        (6, "deleted"),
    ]
    assert found.events[-1].fields == {"cause": "request"}


async def test_a_purge_waits_for_a_broadcast_on_a_server_that_only_shares_the_store() -> None:
    stage = Stage()
    await stage.record(OLD, ended=False)
    started = stage.now - 10 * DAY
    await stage.keeper.begin_purge("a")
    stage.now = started + QUIET_S - 1
    assert await stage.keeper.work() is True
    assert stage.keys_of(OLD)
    stage.now = started + QUIET_S + 1
    assert await stage.keeper.work() is False
    assert stage.store.objects == {}


async def test_an_object_that_cannot_be_deleted_does_not_keep_other_recordings() -> None:
    stage = Stage()
    await stage.record(OLD)
    await stage.record(NEW)
    stage.store.failures[f"live/a/{OLD}/vsource/1.m4s"] = [StoreMisconfigured("permission denied")]
    for broadcast in (OLD, NEW):
        await stage.keeper.delete("a", broadcast)
    await stage.keeper.work()
    assert (bool(stage.keys_of(OLD)), stage.keys_of(NEW)) == (True, [])
    await stage.keeper.work()
    assert stage.store.objects == {}


async def test_an_event_that_is_not_stored_does_not_prevent_a_deletion() -> None:
    stage = Stage()
    await stage.record(OLD)
    stage.store.failures[events_object("a", OLD)] = [DOWN, DOWN]
    await stage.keeper.keep("a", OLD, kept=True)
    await stage.keeper.keep("a", OLD, kept=False)
    await stage.keeper.delete("a", OLD)
    await stage.keeper.work()
    assert stage.store.objects == {}
