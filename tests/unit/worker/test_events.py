"""What happens to a broadcast is an event, in words, and counted."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.questions import EventsQuery
from ingest.interface import EndReason
from media.units import VIDEO_TIMESCALE as S
from packager.facts import SegmentEntry
from storage.catalogue.events import Event, EventCode, FieldValue
from storage.interface import StoreMisconfigured, StoreUnavailable
from tests.lab.waiting import run_until_idle
from tests.unit.packager.recording import frames, video_config
from tests.unit.telemetry.test_metrics import samples
from tests.unit.worker.fakes import FakeLink
from tests.unit.worker.stage import BROADCAST, NEVER_CAME_BACK, STREAM, WINDOW_S, ChannelStage, send
from worker.discontinuities import Cause
from worker.event_review import QUIET_S, EventReview
from worker.lost_segments import COLLECT_S, LostSegments
from worker.media_absence import MediaAbsence
from worker.source_words import describe_source
from worker.warnings import Warnings


class Notes:
    """An event sink. ``lines`` are the codes with the fields; ``texts`` the words."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, FieldValue]]] = []
        self.texts: list[str] = []

    def add(self, code: EventCode, text: str, **fields: FieldValue) -> None:
        self.lines.append((code.value, fields))
        self.texts.append(text)


async def events(stage: ChannelStage) -> list[Event]:
    return list((await stage.cluster.ask_owner(STREAM, EventsQuery(), timeout=5)).events)


async def stored(stage: ChannelStage) -> list[Event]:
    return list((await stage.catalogue.find_events(STREAM, BROADCAST)).events)


def codes(events: list[Event]) -> list[str]:
    return [event.code for event in events]


async def test_a_publisher_that_is_lost_and_returns() -> None:
    stage = await ChannelStage.start()
    link = await stage.attach_and_send(3)
    await stage.clock.advance(3)
    link.end(EndReason.LOST, "the connection was lost")
    await stage.clock.advance(4.2)
    again = stage.attach(FakeLink("198.51.100.4:1000"))
    assert again.session is not None
    await send(again.session, 3)
    started, lost, returned, broken = await events(stage)
    assert started.text == "the broadcast started from 203.0.113.7:50114 with OBS"
    assert started.fields == {"address": "203.0.113.7:50114", "software": "OBS"}
    assert lost.code == "publisher-lost"
    assert lost.text == (
        "the publisher from 203.0.113.7:50114 was lost: the connection was lost; the broadcast waits 30 s for it"
    )
    assert lost.fields == {"reason": "lost", "address": "203.0.113.7:50114"}
    assert returned.text == "the publisher returned from 198.51.100.4:1000 after 4.2 s"
    assert returned.fields == {"away_s": 4.2, "address": "198.51.100.4:1000", "software": "OBS"}
    assert returned.at - lost.at == pytest.approx(4.2)
    assert (broken.code, broken.fields) == ("discontinuity", {"cause": "publisher-returned", "msn": 3})
    await stage.clock.advance(1)
    assert samples(stage.metrics, "publisher_losses_total") == {(STREAM, "lost"): 1}
    assert samples(stage.metrics, "discontinuities_total") == {(STREAM, "publisher-returned"): 1}
    await stage.end("wrong scene")
    ended = (await stored(stage))[-1]
    assert ended.text == "the broadcast ended: wrong scene"
    assert ended.fields == {"reason": "wrong scene", "on_air_s": 8.2}


async def test_the_wait_for_a_publisher_is_a_warning_in_words() -> None:
    stage = await ChannelStage.start()
    link = await stage.attach_and_send(3)
    link.end(EndReason.LOST, "the connection was lost")
    await stage.clock.advance(4)
    status = await stage.status()
    assert status is not None
    (warning,) = status.warnings
    assert (warning.code, warning.since_s) == ("publisher-lost", 4.0)
    assert warning.text.startswith(
        "the publisher is gone for 4 s (the connection was lost), and viewers wait: the broadcast ends in 26 s"
    )
    stage.attach()
    status = await stage.status()
    assert status is not None and status.warnings == ()
    await stage.clock.advance(QUIET_S + 1)
    warned = {event.fields.get("warning") for event in await events(stage)}
    assert "publisher-lost" not in warned
    await stage.end()


async def test_a_publisher_that_never_returns() -> None:
    stage = await ChannelStage.start()
    (await stage.attach_and_send(3)).end(EndReason.PROTOCOL_ERROR, "it sends too much")
    await stage.clock.advance(WINDOW_S + 1)
    await stage.channel.closed()
    assert codes(await stored(stage)) == ["started", "publisher-lost", "ended"]
    assert (await stored(stage))[-1].fields["reason"] == NEVER_CAME_BACK
    assert samples(stage.metrics, "publisher_losses_total") == {(STREAM, "protocol-error"): 1}
    waited = samples(stage.metrics, "no_media_seconds_total")[STREAM, "publisher-lost"]
    assert waited == pytest.approx(WINDOW_S, abs=2)


@pytest.mark.parametrize("reason", [EndReason.UNPUBLISHED, EndReason.KICKED])
async def test_an_intended_end_is_no_loss(reason: EndReason) -> None:
    stage = await ChannelStage.start()
    (await stage.attach_and_send(3)).end(reason, "the publisher stopped")
    await stage.channel.closed()
    assert codes(await stored(stage)) == ["started", "ended"]
    assert samples(stage.metrics, "publisher_losses_total") == {}


async def test_without_a_reconnect_window_a_loss_is_an_event_and_the_end() -> None:
    stage = await ChannelStage.start(reconnect_window=0)
    (await stage.attach_and_send(3)).end(EndReason.LOST, "the connection was lost")
    await stage.channel.closed()
    assert codes(await stored(stage)) == ["started", "publisher-lost", "ended"]
    assert "waits" not in (await stored(stage))[1].text


async def test_a_takeover() -> None:
    stage = await ChannelStage.start()
    await stage.attach_and_send(3)
    stage.attach(FakeLink("198.51.100.4:1000"), software=None)
    taken = (await events(stage))[-1]
    assert (taken.code, taken.fields) == (
        "taken-over",
        {"replaced": "203.0.113.7:50114", "address": "198.51.100.4:1000"},
    )
    assert "another encoder with the same stream key took over" in taken.text
    await stage.end()


async def test_a_hole_and_a_changed_picture_are_discontinuities_with_their_cause() -> None:
    stage = await ChannelStage.start()
    link = await stage.attach_and_send(4)
    session = link.session
    assert session is not None
    for unit in frames(90, start=7 * S, gop=60):
        session.on_unit(unit)
    session.on_video_config(replace(video_config(), width=640, height=360))
    for unit in frames(90, start=10 * S, gop=60):
        session.on_unit(unit)
    await run_until_idle()
    _, hole, changed, broken = await events(stage)
    assert (hole.code, hole.fields) == ("discontinuity", {"cause": "hole", "msn": 3, "hole_s": 3.0})
    assert "3.0 s of the source's media are missing" in hole.text
    assert changed.code == "source-changed"
    assert changed.fields == {
        "before": describe_source(video_config(), None),
        "after": "h264 640x360 without sound",
    }
    assert (broken.code, broken.fields["cause"]) == ("discontinuity", "source-changed")
    await stage.end()


def test_every_cause_is_documented_and_no_other() -> None:
    text = (Path(__file__).parents[3] / "docs" / "events.md").read_text().partition("## Discontinuities")[2]
    assert re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)[1:] == list(Cause)


async def test_a_store_that_is_away_and_back() -> None:
    stage = await ChannelStage.start()
    stage.store.failing = StoreUnavailable("the store is down")
    await stage.attach_and_send(3)
    await stage.clock.advance(8)
    stage.store.failing = None
    for _ in range(100):
        await asyncio.sleep(0.01)
        await stage.clock.advance(0.1)
        if "store-back" in codes(await events(stage)):
            break
    _, away, *others = await events(stage)
    back = others[-1]
    assert away.text == "the store does not take uploads: the store is down"
    assert (away.code, back.code) == ("store-away", "store-back")
    assert back.fields == {"lasted_s": pytest.approx(8, abs=2)}
    await stage.end()
    assert codes(await stored(stage))[-1] == "ended"


async def test_an_ended_broadcast_has_its_end_in_the_store_before_its_media() -> None:
    """A reader need not wait for a slow store's media to know the end."""
    stage = await ChannelStage.start()
    await stage.attach_and_send(3)
    last_segment = f"live/{STREAM}/{BROADCAST}/vsource/2.m4s"
    held = stage.store.hold[last_segment] = asyncio.Event()
    stage.channel.close("over")
    await run_until_idle()
    record = await stage.catalogue.find_events(STREAM, BROADCAST)
    assert (codes(list(record.events)), record.complete) == (["started", "ended"], False)
    assert last_segment not in stage.store.objects
    held.set()
    await stage.channel.closed()
    assert (await stage.catalogue.find_events(STREAM, BROADCAST)).complete


async def test_a_request_waits_for_the_next_event() -> None:
    stage = await ChannelStage.start()
    link = await stage.attach_and_send(3)
    question = EventsQuery(after=1, wait_s=60)
    asked = asyncio.ensure_future(stage.cluster.ask_owner(STREAM, question, timeout=65))
    await run_until_idle()
    assert not asked.done()
    link.end(EndReason.LOST)
    async with asyncio.timeout(5):
        assert codes(list((await asked).events)) == ["publisher-lost"]
    await stage.end()


# Warnings.


def test_a_warning_is_an_event_at_its_begin_and_at_its_end() -> None:
    notes, warnings = Notes(), Warnings()
    review = EventReview(notes, warnings)
    for now in range(10):
        warnings.report("slow-media", f"only {90 - now} % arrives", float(now))
        review.review(float(now))
    warnings.clear("slow-media")
    for now in range(10, 30):
        review.review(float(now))
    assert notes.lines == [
        ("warning", {"warning": "slow-media"}),
        ("warning-over", {"warning": "slow-media", "lasted_s": 9.0}),
    ]
    assert notes.texts == ["only 90 % arrives", "the warning slow-media is over, after 9 s"]


def test_a_warning_that_comes_and_goes_is_one() -> None:
    notes, warnings = Notes(), Warnings()
    review = EventReview(notes, warnings)
    for now in range(60):
        if now % 4 == 0:
            warnings.report("frames-missing", "frames are missing", float(now))
        else:
            warnings.clear("frames-missing")
        review.review(float(now))
    assert [code for code, _ in notes.lines] == ["warning"]


# Lost segments.


class Ignored:
    def segment_made(self, track: str, entry: SegmentEntry) -> None:
        pass

    def segment_lost(self, track: str, error: object) -> None:
        pass


@pytest.fixture
def lost() -> Iterator[tuple[LostSegments, Notes]]:
    notes = Notes()
    yield LostSegments(Ignored(), notes), notes


def test_hundreds_of_lost_segments_are_one_event_for_each_track(lost: tuple[LostSegments, Notes]) -> None:
    segments, notes = lost
    segments.review(0.0)
    for now in range(int(COLLECT_S)):
        for _ in range(30):
            segments.segment_lost("vsource", None)
            segments.segment_lost("v360p", StoreMisconfigured("access denied"))
        segments.review(float(now))
    assert notes.lines == []
    segments.review(COLLECT_S)
    assert notes.lines == [
        ("segment-lost", {"track": "vsource", "count": 300, "reason": "too-slow"}),
        ("segment-lost", {"track": "v360p", "count": 300, "reason": "store-misconfigured"}),
    ]
    assert notes.texts[1] == (
        "300 segments of v360p did not reach the store, and the recording has a gap: access denied"
    )
    segments.segment_lost("vsource", None)
    segments.flush()
    assert notes.texts[2].startswith("1 segment of vsource did not reach the store")
    segments.flush()
    assert len(notes.lines) == 3


# Seconds without media.


def test_seconds_without_media_are_counted_by_their_reason() -> None:
    absence = MediaAbsence()
    units = 0
    for now in range(10):
        absence.tick(units, float(now), lost=False)
    assert absence.seconds == {}
    for now in range(10, 20):
        units += 30
        absence.tick(units, float(now), lost=False)
    assert absence.seconds == {}
    for now in range(20, 25):
        absence.tick(units, float(now), lost=False)
    for now in range(25, 33):
        absence.tick(units, float(now), lost=True)
    assert absence.seconds == {"stalled": 5.0, "publisher-lost": 8.0}
