"""The publisher of a broadcast: takeover, the reconnect window, and the reasons for its end."""

from typing import Any

import pytest

from cluster.claims import ClaimState
from cluster.errors import NoOwner
from cluster.questions import (
    Done,
    EventsQuery,
    HistoryQuery,
    KillCommand,
    LatencyQuery,
    Question,
    StatusQuery,
    ThumbnailQuery,
)
from ingest.interface import EndReason
from live.status import Latencies, StreamState, Thumbnail
from tests.lab.waiting import run_until_idle
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import node
from tests.unit.worker.fakes import FakeLink
from tests.unit.worker.stage import BROADCAST, NEVER_CAME_BACK, PREFIX, STREAM, WINDOW_S, ChannelStage, send


async def end_reason(stage: ChannelStage) -> str | None:
    await stage.channel.closed()
    return (await stage.catalogue.list_broadcasts(STREAM))[0].end_reason


async def test_an_attached_publisher_is_live() -> None:
    stage = await ChannelStage.start()
    stage.attach(FakeLink("198.51.100.4:1000"), software="OBS 30")
    status = await stage.status()
    assert status is not None and status.publisher is not None
    assert (status.stream, status.broadcast, status.state) == (STREAM, BROADCAST, StreamState.LIVE)
    assert (status.publisher.address, status.publisher.software) == ("198.51.100.4:1000", "OBS 30")
    await stage.end()


async def test_the_status_is_renewed_every_second() -> None:
    stage = await ChannelStage.start()
    await stage.attach_and_send(5)
    await stage.clock.advance(3)
    status = await stage.status()
    assert status is not None and status.publisher is not None and status.source is not None
    assert (status.uptime_s, status.publisher.connected_s) == (3.0, 3.0)
    assert [rendition.track for rendition in status.renditions] == ["vsource"]
    await stage.end()


async def test_a_second_publisher_takes_over() -> None:
    stage = await ChannelStage.start()
    first = await stage.attach_and_send(3)
    second = stage.attach(FakeLink("198.51.100.4:1000"))
    assert first.kicks == [(EndReason.TAKEN_OVER, "another publisher with this stream key took over")]
    assert second.kicks == []
    status = await stage.status()
    assert status is not None and status.publisher is not None
    assert (status.state, status.publisher.address) == (StreamState.LIVE, "198.51.100.4:1000")
    await stage.clock.advance(WINDOW_S + 1)
    assert stage.channel.open
    await stage.end()


@pytest.mark.parametrize("reason", EndReason)
async def test_the_late_end_of_a_replaced_publisher_changes_nothing(reason: EndReason) -> None:
    stage = await ChannelStage.start()
    first = stage.attach(FakeLink(ends_late=True))
    second = stage.attach()
    first.end(reason)
    await stage.clock.advance(WINDOW_S + 1)
    status = await stage.status()
    assert stage.channel.open and stage.channel.publishers.on_air is second.session
    assert status is not None and status.state is StreamState.LIVE
    await stage.end()


@pytest.mark.parametrize("reason", [EndReason.LOST, EndReason.PROTOCOL_ERROR])
async def test_a_lost_publisher_is_awaited_for_the_reconnect_window(reason: EndReason) -> None:
    stage = await ChannelStage.start()
    link = await stage.attach_and_send(3)
    link.end(reason, "the connection broke")
    status = await stage.status()
    assert status is not None
    assert (status.state, status.publisher) == (StreamState.WAITING, None)
    await stage.clock.advance(WINDOW_S - 0.1)
    assert stage.channel.open
    await stage.clock.advance(0.2)
    assert not stage.channel.open
    assert stage.closed == [stage.channel]
    assert await end_reason(stage) == NEVER_CAME_BACK


async def test_the_media_of_a_lost_publisher_are_stored_at_once() -> None:
    stage = await ChannelStage.start()
    link = await stage.attach_and_send(3)
    assert f"{PREFIX}/vsource/2.m4s" not in stage.store.objects
    link.end(EndReason.LOST)
    await run_until_idle()
    assert f"{PREFIX}/vsource/2.m4s" in stage.store.objects
    assert "#EXT-X-ENDLIST" not in stage.store.text(f"{PREFIX}/vsource/media.m3u8")
    await stage.end()


async def test_a_publisher_that_returns_in_time_continues_the_broadcast() -> None:
    stage = await ChannelStage.start()
    link = await stage.attach_and_send(3)
    link.end(EndReason.LOST)
    await stage.clock.advance(WINDOW_S - 1)
    await stage.attach_and_send(3)
    status = await stage.status()
    assert status is not None
    assert (status.state, status.broadcast) == (StreamState.LIVE, BROADCAST)
    await stage.clock.advance(2 * WINDOW_S)
    assert stage.channel.open
    await stage.end()
    playlist = stage.store.text(f"{PREFIX}/vsource/media.m3u8")
    assert playlist.count("#EXT-X-DISCONTINUITY\n") == 1
    assert playlist.count("#EXTINF") == 4


async def test_each_loss_starts_a_new_reconnect_window() -> None:
    stage = await ChannelStage.start()
    for _ in range(3):
        stage.attach().end(EndReason.LOST)
        await stage.clock.advance(WINDOW_S - 1)
        assert stage.channel.open
    await stage.clock.advance(2)
    assert not stage.channel.open
    await stage.channel.closed()


async def test_without_a_reconnect_window_a_lost_publisher_ends_the_broadcast() -> None:
    stage = await ChannelStage.start(reconnect_window=0)
    stage.attach().end(EndReason.LOST, "no media for 10 s")
    assert not stage.channel.open
    assert await end_reason(stage) == "no media for 10 s"


@pytest.mark.parametrize(
    ("reason", "text", "recorded"),
    [
        (EndReason.UNPUBLISHED, "", "unpublished"),
        (EndReason.UNPUBLISHED, "the publisher stopped", "the publisher stopped"),
        (EndReason.KICKED, "The server is stopping", "The server is stopping"),
    ],
)
async def test_a_publisher_that_stops_or_is_kicked_ends_the_broadcast(
    reason: EndReason, text: str, recorded: str
) -> None:
    stage = await ChannelStage.start()
    link = await stage.attach_and_send(3)
    link.end(reason, text)
    assert not stage.channel.open
    assert link.kicks == []
    assert await end_reason(stage) == recorded


async def test_a_kill_command_kicks_the_publisher_and_ends_the_broadcast() -> None:
    stage = await ChannelStage.start()
    link = await stage.attach_and_send(3)
    answer = await stage.cluster.ask_owner(STREAM, KillCommand(reason="wrong scene"), timeout=1)
    assert answer == Done()
    assert link.kicks == [(EndReason.KICKED, "wrong scene")]
    assert stage.closed == [stage.channel]
    assert await end_reason(stage) == "wrong scene"


async def test_a_kill_command_ends_a_waiting_broadcast() -> None:
    stage = await ChannelStage.start()
    stage.attach().end(EndReason.LOST)
    await stage.cluster.ask_owner(STREAM, KillCommand(), timeout=1)
    assert await end_reason(stage) == "ended by the operator"
    await stage.clock.advance(WINDOW_S + 1)
    assert stage.closed == [stage.channel]


async def test_a_channel_closes_once_with_the_first_reason_given() -> None:
    stage = await ChannelStage.start()
    stage.attach()
    stage.channel.close("first")
    stage.channel.close("second")
    assert stage.closed == [stage.channel]
    assert await end_reason(stage) == "first"


@pytest.mark.parametrize(
    "question", [StatusQuery(), HistoryQuery(), LatencyQuery(), ThumbnailQuery(), EventsQuery(), KillCommand()]
)
async def test_no_question_is_answered_after_the_end(question: Question[Any]) -> None:
    """Neither before the cluster has been notified of the end, nor after the claim is released."""
    stage = await ChannelStage.start()
    await stage.attach_and_send(3)
    stage.channel.close("over")
    for _ in range(2):
        with pytest.raises(NoOwner):
            await stage.cluster.ask_owner(STREAM, question, timeout=1)
        await stage.channel.closed()
    await stage.clock.advance(5)
    assert await stage.status() is None


async def test_history_latencies_and_thumbnail_are_answered_while_on_air() -> None:
    stage = await ChannelStage.start()
    stage.attach()
    await stage.clock.advance(3)
    history = await stage.cluster.ask_owner(STREAM, HistoryQuery(), timeout=1)
    assert len(history.samples) >= 2
    assert await stage.cluster.ask_owner(STREAM, LatencyQuery(), timeout=1) == Latencies()
    assert await stage.cluster.ask_owner(STREAM, ThumbnailQuery(), timeout=1) == Thumbnail(jpeg=b"", at=0)
    await stage.end()


async def test_the_status_is_made_at_most_once_a_second() -> None:
    stage = await ChannelStage.start()
    stage.attach()
    first = await stage.status()
    assert await stage.status() is first
    await stage.clock.advance(1)
    assert await stage.status() not in (None, first)
    await stage.end()


async def test_the_claim_follows_the_broadcast_until_the_store_has_its_end() -> None:
    stage = await ChannelStage.start()
    states = []

    async def record_stored() -> None:
        claim = await stage.claim()
        states.append(None if claim is None else claim.state)

    link = await stage.attach_and_send(3)
    await record_stored()
    link.end(EndReason.LOST)
    await record_stored()
    stage.attach()
    await record_stored()
    stage.store.gate.clear()
    stage.channel.close("over")
    await record_stored()
    stage.store.gate.set()
    await stage.channel.closed()
    await record_stored()
    assert states == [ClaimState.LIVE, ClaimState.WAITING, ClaimState.LIVE, ClaimState.ENDING, None]


async def test_a_lost_claim_ends_the_broadcast() -> None:
    stage = await ChannelStage.start()
    link = await stage.attach_and_send(3)
    claim = await stage.claim()
    assert claim is not None
    other = stage.cluster_state.join(node("b"))
    taken = await other.take_over(claim, BROADCAST, FakeOwner())
    stage.store.calls.clear()
    link.end(EndReason.LOST)
    await run_until_idle()
    assert not stage.channel.open
    assert await end_reason(stage) == "another server has taken over the stream"
    assert await stage.claim() == taken
    stored = stage.store.keys_of("put")
    assert f"{PREFIX}/manifest.mpd" in stored
    assert f"live/{STREAM}/manifest.mpd" not in stored


async def test_an_unreachable_cluster_does_not_disturb_the_broadcast() -> None:
    stage = await ChannelStage.start()
    link = await stage.attach_and_send(3)
    await stage.cluster.close()
    link.end(EndReason.LOST)
    await stage.attach_and_send(3)
    assert stage.channel.open
    await stage.end("over")
    assert await end_reason(stage) == "over"


async def test_media_after_the_end_is_ignored() -> None:
    stage = await ChannelStage.start()
    link = stage.attach(FakeLink(ends_late=True))
    session = link.session
    assert session is not None
    await send(session, 3)
    session.on_end(EndReason.UNPUBLISHED, "")
    await send(session, 4, start_s=3)
    await stage.channel.closed()
    await run_until_idle()
    assert stage.store.text(f"{PREFIX}/vsource/media.m3u8").count("#EXTINF") == 2
