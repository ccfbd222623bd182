"""The playlists and the record that a broadcast stores, also with a failing store."""

import asyncio

import pytest

from storage.backoff import Backoff
from storage.interface import StoreUnavailable
from tests.lab.waiting import run_until_idle
from tests.unit.worker.stage import BROADCAST, CATALOGUE, EVENTS, PREFIX, STREAM, ChannelStage, send

DOWN = StoreUnavailable("the store is down")


async def test_a_record_is_written_when_the_broadcast_begins() -> None:
    stage = await ChannelStage.start()
    started = stage.clock.unix()
    await run_until_idle()
    (record,) = await stage.catalogue.list_broadcasts(STREAM)
    assert (record.started_at, record.ended_at, record.end_reason) == (started, None, None)
    await stage.end()


async def test_the_record_is_completed_at_the_end() -> None:
    stage = await ChannelStage.start()
    started = stage.clock.unix()
    await stage.attach_and_send(5)
    await stage.clock.advance(5)
    await stage.end("over")
    (record,) = await stage.catalogue.list_broadcasts(STREAM)
    assert (record.started_at, record.ended_at) == (started, started + 5)
    assert (record.tracks, record.duration_s, record.end_reason) == (("vsource",), 5.0, "over")
    assert record.bytes == sum(len(o.body) for key, o in stage.store.objects.items() if key.endswith(".m4s"))


async def test_the_end_is_recorded_if_the_beginning_could_not_be_stored() -> None:
    stage = await ChannelStage.start()
    stage.store.failures[CATALOGUE] = [DOWN]
    await run_until_idle()
    assert CATALOGUE not in stage.store.objects
    stage.attach()
    await stage.end("over")
    assert (await stage.catalogue.list_broadcasts(STREAM))[0].end_reason == "over"


async def test_the_end_is_recorded_only_after_the_beginning() -> None:
    stage = await ChannelStage.start()
    slow = stage.store.hold[CATALOGUE] = asyncio.Event()
    stage.attach()
    stage.channel.close("over")
    for _ in range(5):
        # The end's texts are rendered in threads.
        await asyncio.to_thread(lambda: None)
        await run_until_idle()
    assert stage.store.keys_of("get").count(CATALOGUE) == 1
    slow.set()
    await stage.channel.closed()
    assert stage.store.keys_of("put").count(CATALOGUE) == 2
    assert (await stage.catalogue.list_broadcasts(STREAM))[0].end_reason == "over"


async def test_a_broadcast_ends_even_if_the_store_fails() -> None:
    stage = await ChannelStage.start()
    await stage.attach_and_send(3)
    stage.store.failing = DOWN
    stage.channel.close("over")
    await stage.channel.give_up()
    await stage.channel.closed()
    assert await stage.status() is None
    stage.store.failing = None
    assert (await stage.catalogue.list_broadcasts(STREAM))[0].ended_at is None


async def test_an_end_waits_for_the_store_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.uploads.backoff_for", lambda error: Backoff(0.01, 0.01))
    stage = await ChannelStage.start()
    link = await stage.attach_and_send(3)
    stage.store.failing = DOWN
    assert link.session is not None
    await send(link.session, 2, start_s=3)
    stage.channel.close("over")
    for _ in range(100):
        await stage.clock.advance(60)
    assert f"{PREFIX}/vsource/recording.m3u8" not in stage.store.objects
    stage.store.failing = None
    async with asyncio.timeout(10):
        await stage.channel.closed()
    (record,) = await stage.catalogue.list_broadcasts(STREAM)
    assert (record.duration_s, record.end_reason) == (5.0, "over")
    assert stage.store.text(f"{PREFIX}/vsource/recording.m3u8").rstrip().endswith("#EXT-X-ENDLIST")


async def test_a_record_is_tried_again_until_it_is_stored() -> None:
    stage = await ChannelStage.start()
    await stage.attach_and_send(3)
    stage.store.failures[CATALOGUE] = [DOWN] * 5
    stage.channel.close("over")
    ended = asyncio.ensure_future(stage.channel.closed())
    async with asyncio.timeout(10):
        while not ended.done():
            # The end's texts are rendered in threads.
            await asyncio.to_thread(lambda: None)
            await stage.clock.advance(10)
    assert (await stage.catalogue.list_broadcasts(STREAM))[0].end_reason == "over"


async def test_a_failing_store_is_a_warning_in_the_status() -> None:
    stage = await ChannelStage.start()
    stage.store.failing = DOWN
    await stage.attach_and_send(3)
    await stage.clock.advance(1)
    status = await stage.status()
    assert status is not None
    assert [(warning.code, warning.text) for warning in status.warnings] == [
        ("store", "the store does not take uploads: the store is down")
    ]
    stage.store.failing = None
    await stage.end()


async def test_a_store_that_hangs_is_a_warning_within_five_seconds() -> None:
    stage = await ChannelStage.start()
    hanging = stage.store.hold[f"{PREFIX}/vsource/1.m4s"] = asyncio.Event()
    await stage.attach_and_send(3)
    await stage.clock.advance(5)
    status = await stage.status()
    assert status is not None
    assert [warning.text for warning in status.warnings if warning.code == "store"] == [
        "the store has not taken an upload for 5 s: check its health and its network"
    ]
    hanging.set()
    await run_until_idle()
    await stage.clock.advance(1)
    status = await stage.status()
    assert status is not None and "store" not in {warning.code for warning in status.warnings}
    await stage.end()


async def test_the_playlists_of_an_ended_broadcast_are_complete() -> None:
    stage = await ChannelStage.start()
    await stage.attach_and_send(5)
    await stage.end()
    playlist = stage.store.text(f"{PREFIX}/vsource/media.m3u8")
    assert playlist.count("#EXTINF") == 3
    assert playlist.rstrip().endswith("#EXT-X-ENDLIST")
    assert 'type="static"' in stage.store.text(f"{PREFIX}/manifest.mpd")
    assert f"{BROADCAST}/vsource/recording.m3u8" in stage.store.text(f"live/{STREAM}/master.m3u8")


async def test_a_recording_is_numbered_from_0() -> None:
    """yt-dlp takes a playlist with another number for a live stream. The live playlist keeps its numbers."""
    stage = await ChannelStage.start()
    await stage.attach_and_send(5)
    await run_until_idle()
    assert f"{PREFIX}/vsource/recording.m3u8" not in stage.store.objects
    assert "vsource/media.m3u8" in stage.store.text(f"{PREFIX}/master.m3u8")
    await stage.end()
    recording = stage.store.text(f"{PREFIX}/vsource/recording.m3u8")
    for line in ("#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-ENDLIST", "1.m4s"):
        assert line in recording.splitlines()
    assert "#EXT-X-MEDIA-SEQUENCE:1" in stage.store.text(f"{PREFIX}/vsource/media.m3u8").splitlines()
    assert "vsource/recording.m3u8" in stage.store.text(f"{PREFIX}/master.m3u8")


async def test_a_broadcast_without_media_leaves_only_its_record_and_its_events() -> None:
    stage = await ChannelStage.start()
    stage.attach()
    await stage.end()
    assert set(stage.store.objects) == {CATALOGUE, EVENTS}
