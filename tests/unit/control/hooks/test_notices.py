import json

import pytest

from control.hooks.notices import Notice, of_event, of_milestone, of_test, of_trouble
from live.messages import BroadcastPlayable, BroadcastStored
from live.topics import BroadcastRef
from storage.catalogue.events import Event, EventCode
from storage.catalogue.records import BroadcastRecord
from storage.watch import StoreTrouble

NOW = 1_795_257_665.25
URL = "https://media.example.org"
REF = BroadcastRef("studio-a", "20261121t104105z-ab12cd")
PLACE = {"stream": "studio-a", "broadcast": "20261121t104105z-ab12cd"}


def event(code: str, **fields: str | float) -> Event:
    return Event(number=1, at=NOW, code=code, text="in words", fields=dict(fields))


def test_the_body_is_json_with_type_time_and_data() -> None:
    body = json.loads(Notice("stream.live", NOW, {"title": "Café"}).body())
    assert body == {"type": "stream.live", "timestamp": "2026-11-21T10:41:05.250Z", "data": {"title": "Café"}}


@pytest.mark.parametrize(
    ("code", "how"), [("started", "started"), ("publisher-returned", "returned"), ("taken-over", "took-over")]
)
def test_a_publisher_connects_in_one_of_three_ways(code: str, how: str) -> None:
    notice = of_event(REF, event(code, address="203.0.113.7:1"))
    assert notice == Notice(
        "publisher.connected",
        NOW,
        {**PLACE, "text": "in words", "address": "203.0.113.7:1", "how": how},
        "studio-a",
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [("publisher-lost", "publisher.lost"), ("warning", "warning.raised"), ("ended", "stream.ended")],
)
def test_other_events_are_sent_with_their_fields(code: str, kind: str) -> None:
    notice = of_event(REF, event(code, reason="lost"))
    assert notice == Notice(kind, NOW, {**PLACE, "text": "in words", "reason": "lost"}, "studio-a")


def test_all_other_events_are_not_sent() -> None:
    sent = {code for code in EventCode if of_event(REF, event(code)) is not None}
    assert sent == {"started", "publisher-returned", "taken-over", "publisher-lost", "warning", "ended"}
    assert of_event(REF, event("of-a-newer-headwater")) is None


def test_milestones_have_links() -> None:
    live = of_milestone(REF, BroadcastPlayable(), at=NOW, public_url=URL)
    prefix = f"{URL}/live/studio-a/20261121t104105z-ab12cd"
    links = {"hls": f"{prefix}/master.m3u8", "dash": f"{prefix}/manifest.mpd"}
    assert live == Notice("stream.live", NOW, {**PLACE, **links, "watch": f"{URL}/watch/studio-a"}, "studio-a")
    record = BroadcastRecord(
        stream=REF.stream,
        broadcast=REF.broadcast,
        started_at=NOW - 10,
        ended_at=NOW,
        duration_s=9.5,
        bytes=7,
        tracks=("v",),
    )
    ready = of_milestone(REF, BroadcastStored(record), at=NOW, public_url=URL)
    assert (ready.event, ready.data["duration_s"], ready.data["tracks"]) == ("recording.ready", 9.5, ["v"])
    assert ready.data["watch"] == f"{URL}/watch/studio-a?broadcast=20261121t104105z-ab12cd"


def test_a_trouble_of_the_store_has_no_stream() -> None:
    notice = of_trouble(StoreTrouble.AWAY, "down", at=NOW, public_url=URL)
    assert notice == Notice("store.trouble", NOW, {"server": URL, "state": "away", "text": "down"})
    assert of_test("9f86d081", at=NOW).event == "hook.test"
