"""Which publishers are accepted, and which broadcast each one feeds."""

import asyncio
from functools import partial

import pytest

from ingest.errors import PublishRefused
from ingest.interface import EndReason
from live.messages import BroadcastClosed
from live.topics import MEDIA, BroadcastRef
from storage.catalogue import Catalogue
from storage.interface import StoreUnavailable
from tests.lab.waiting import run_until_idle
from tests.unit.worker.fakes import FakeChildren
from tests.unit.worker.stage import STREAM, WINDOW_S, StationStage, send, status_of
from worker.station import DRAINING
from worker.transcoding import Transcoding


async def refusal(stage: StationStage, key: str) -> str:
    with pytest.raises(PublishRefused) as refused:
        await stage.publish(key)
    return refused.value.text


async def test_an_unknown_key_is_refused() -> None:
    stage = StationStage()
    await stage.create()
    other = StationStage()
    for key in ("", "not a key", await other.create()):
        assert await refusal(stage, key) == (
            "unknown or revoked stream key: copy it again from `headwater create` or rotate-key"
        )
    assert await stage.broadcast() is None


async def test_a_banned_stream_is_refused_with_the_remaining_seconds() -> None:
    stage = StationStage()
    key = await stage.create()
    await stage.catalogue.ban(STREAM, stage.clock.unix() + 90)
    await stage.clock.advance(30)
    assert await refusal(stage, key) == "the operator has banned this stream for another 60 s"
    await stage.clock.advance(61)
    await stage.publish(key)
    assert await stage.broadcast() is not None
    await stage.station.close()


async def test_a_key_is_refused_if_the_store_cannot_be_reached() -> None:
    stage = StationStage()
    # The key of a stream that this process has not cached.
    _, key = await Catalogue(stage.store).create_stream(STREAM, now=0)
    stage.store.failing = StoreUnavailable("connection refused")
    assert await refusal(stage, key) == "the server cannot reach its store to check the stream key; try again"


async def test_a_second_publisher_of_a_stream_feeds_the_same_broadcast() -> None:
    stage = StationStage()
    key = await stage.create()
    first = await stage.publish(key)
    broadcast = await stage.broadcast()
    await stage.publish(key)
    assert [reason for reason, _ in first.kicks] == [EndReason.TAKEN_OVER]
    assert await stage.broadcast() == broadcast
    await stage.station.close()


async def test_a_publisher_that_returns_within_the_window_feeds_the_same_broadcast() -> None:
    stage = StationStage()
    key = await stage.create()
    link = await stage.publish(key)
    broadcast = await stage.broadcast()
    link.end(EndReason.LOST)
    await stage.clock.advance(WINDOW_S - 1)
    await stage.publish(key)
    assert await stage.broadcast() == broadcast
    await stage.station.close()


async def test_two_streams_have_separate_broadcasts() -> None:
    stage = StationStage()
    keys = [await stage.create(stream) for stream in ("one", "two")]
    links = [await stage.publish(key) for key in keys]
    assert not any(link.kicks for link in links)
    assert None is not await stage.broadcast("one") != await stage.broadcast("two")
    await stage.station.close()


async def test_a_publisher_after_the_end_begins_a_new_broadcast() -> None:
    stage = StationStage()
    key = await stage.create()
    link = await stage.publish(key)
    first = await stage.broadcast()
    link.end(EndReason.UNPUBLISHED)
    await run_until_idle()
    await stage.publish(key)
    assert await stage.broadcast() not in (None, first)
    await stage.station.close()
    assert len(await stage.catalogue.list_broadcasts(STREAM)) == 2


async def test_a_publisher_that_arrives_at_the_end_starts_a_broadcast() -> None:
    """The end of the old broadcast must not remove the status of the new one."""
    stage = StationStage()
    key = await stage.create()
    link = await stage.publish(key)
    first = await stage.broadcast()
    link.end(EndReason.UNPUBLISHED)
    await stage.publish(key)
    await run_until_idle()
    assert await stage.broadcast() not in (None, first)
    await stage.station.close()


async def test_a_new_broadcast_supersedes_one_that_is_ending() -> None:
    stage = StationStage()
    key = await stage.create()
    old_link = await stage.publish(key)
    assert old_link.session is not None
    old = await stage.broadcast()
    await send(old_link.session, 5)
    stage.store.gate.clear()
    old_ended = asyncio.Event()
    stage.bus.subscribe(
        MEDIA,
        lambda _, message: old_ended.set() if isinstance(message, BroadcastClosed) else None,
        BroadcastRef(STREAM, old or ""),
    )
    old_link.end(EndReason.UNPUBLISHED)
    await run_until_idle()
    await stage.clock.advance(1)
    new_link = await stage.publish(key)
    assert new_link.session is not None
    new = await stage.broadcast()
    await send(new_link.session, 5)
    stage.store.gate.set()
    await asyncio.wait_for(old_ended.wait(), 5)
    await run_until_idle()
    current = stage.store.text(f"live/{STREAM}/master.m3u8")
    assert f"{new}/" in current and f"{old}/" not in current
    assert stage.store.text(f"live/{STREAM}/{old}/vsource/media.m3u8").rstrip().endswith("#EXT-X-ENDLIST")
    await stage.station.close()
    assert f"{new}/" in stage.store.text(f"live/{STREAM}/master.m3u8")


async def test_close_ends_every_broadcast_and_waits_for_the_store() -> None:
    stage = StationStage()
    streams = ("one", "two")
    links = [await stage.publish(await stage.create(stream)) for stream in streams]
    for link in links:
        assert link.session is not None
        await send(link.session, 3)
    stage.store.gate.clear()
    closing = asyncio.create_task(stage.station.close())
    await run_until_idle()
    assert not closing.done()
    stage.store.gate.set()
    await asyncio.wait_for(closing, 5)
    for link, stream in zip(links, streams, strict=True):
        assert link.kicks == [(EndReason.KICKED, "the server is shutting down")]
        assert await status_of(stage.cluster, stream) is None
        (record,) = await stage.catalogue.list_broadcasts(stream)
        assert record.end_reason == "the server is shutting down"


async def test_close_waits_for_a_broadcast_that_is_still_ending() -> None:
    stage = StationStage()
    link = await stage.publish(await stage.create())
    assert link.session is not None
    await send(link.session, 3)
    stage.store.gate.clear()
    link.end(EndReason.UNPUBLISHED)
    closing = asyncio.create_task(stage.station.close())
    await run_until_idle()
    assert not closing.done()
    stage.store.gate.set()
    await asyncio.wait_for(closing, 5)


async def test_uploads_include_live_and_ending_broadcasts() -> None:
    stage = StationStage()
    assert list(stage.station.uploads()) == []
    links = {stream: await stage.publish(await stage.create(stream)) for stream in ("ending", "live")}
    stage.store.gate.clear()
    for link in links.values():
        assert link.session is not None
        await send(link.session, 3)
    links["ending"].end(EndReason.UNPUBLISHED)
    waiting = {stream: (size, age) for stream, size, age in stage.station.uploads()}
    assert set(waiting) == {"ending", "live"}
    assert all(size > 0 and age >= 0 for size, age in waiting.values())
    stage.store.gate.set()
    await stage.station.close()
    assert list(stage.station.uploads()) == []


async def test_sparse_keyframes_are_remembered_for_the_next_broadcast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next broadcast is encoded from its first keyframe, until a broadcast has closer keyframes."""
    children = FakeChildren()
    monkeypatch.setattr("worker.broadcast.Transcoding", partial(Transcoding, start=children.start))
    stage = StationStage(free_cuts=True)
    key = await stage.create()
    attempts = []
    for seconds, gop in ((20, 250), (2, 60), (20, 60), (2, 60)):
        before = children.attempts
        link = await stage.publish(key)
        assert link.session is not None
        await send(link.session, seconds, gop=gop)
        attempts.append(children.attempts - before)
        await stage.clock.advance(1)
        for child in children.started:
            child.drained.set()
        link.end(EndReason.UNPUBLISHED)
        await run_until_idle()
    await stage.station.close()
    assert attempts == [1, 1, 0, 0]


async def test_encoders_that_take_over_from_each_other_are_a_warning_while_they_do() -> None:
    stage = StationStage()
    key = await stage.create()
    for _ in range(4):
        await stage.publish(key)
        await stage.clock.advance(2)
    status = await status_of(stage.cluster)
    assert status is not None
    (warning,) = (warning for warning in status.warnings if warning.code == "two-publishers")
    assert "3 times in the last minute" in warning.text
    await stage.clock.advance(61)
    status = await status_of(stage.cluster)
    assert status is not None and "two-publishers" not in {warning.code for warning in status.warnings}
    await stage.station.close()


async def test_a_second_publisher_can_be_refused() -> None:
    stage = StationStage(refuses_second=True)
    key = await stage.create()
    first = await stage.publish(key)
    with pytest.raises(PublishRefused, match=r"with this key from .*: stop that encoder first"):
        await stage.publish(key)
    assert first.kicks == []
    first.end(EndReason.LOST)
    await stage.publish(key)
    await stage.station.close()


async def test_a_clock_that_is_set_back_makes_no_newer_broadcast_the_older_one() -> None:
    stage = StationStage()
    key = await stage.create()
    await stage.publish(key)
    first = await stage.broadcast()
    await stage.clock.advance(10)
    await stage.station.close()
    stage.clock.set_back(3600)
    await stage.publish(key)
    second = await stage.broadcast()
    assert first is not None and second is not None and first < second
    await stage.station.close()


async def test_a_station_that_drains_waits_for_its_broadcasts() -> None:
    stage = StationStage()
    key = await stage.create()
    link = await stage.publish(key)
    draining = asyncio.create_task(stage.station.drain())
    await run_until_idle()
    assert link.requests == [DRAINING]
    link.end(EndReason.LOST)
    returned = await stage.publish(key)
    assert not draining.done()
    returned.end(EndReason.UNPUBLISHED)
    await asyncio.wait_for(draining, 10)
    assert await refusal(stage, key) == "this server is being replaced: connect again"


async def test_a_station_without_broadcasts_has_drained_at_once() -> None:
    stage = StationStage()
    await asyncio.wait_for(stage.station.drain(), 10)


async def test_a_stream_that_is_held_begins_no_broadcast_until_the_hold_ends() -> None:
    stage = StationStage()
    key = await stage.create()
    async with stage.station.holding(STREAM) as off_air:
        assert off_air
        publishing = asyncio.ensure_future(stage.publish(key))
        await run_until_idle()
        assert not publishing.done()
    await publishing
    async with stage.station.holding(STREAM) as off_air:
        assert not off_air
    await stage.station.close()
