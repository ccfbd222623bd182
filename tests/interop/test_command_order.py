"""Sessions of ffmpeg and OBS through the RTMP core and the feed, for any split of the bytes."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.feed import MediaFeed
from ingest.rtmp import AudioMessage, Metadata, PublishRequested, ServerConnection, State, Unpublished, VideoMessage
from ingest.rtmp.amf0 import Value, decode
from ingest.rtmp.message import MessageType
from media.units import Kind
from tests.interop.sessions import SESSIONS, Session
from tests.unit.ingest.samples import Recorder
from tests.unit.ingest.wire import SPLITS, ReplyReader, Split, events_of, pieces_of


def answers_to(data: bytes) -> list[Value]:
    """The names of the commands in ``data``; for onStatus, its code."""
    names: list[Value] = []
    for message in ReplyReader().messages(data):
        if message.type_id == MessageType.COMMAND_AMF0:
            name, _, _, *information = decode(message.payload)
            status = information[0] if information and name == "onStatus" else None
            names.append(status["code"] if isinstance(status, dict) else name)
    return names


def publish(session: Session, split: Split) -> tuple[Recorder, list[object], ServerConnection]:
    connection, recorder = ServerConnection(), Recorder()
    others: list[object] = [*events_of(connection, session.opening, split)]
    connection.accept_publish()
    feed = MediaFeed(recorder)
    for event in events_of(connection, session.media + session.closing, split):
        match event:
            case VideoMessage(timestamp, payload):
                feed.video.take(timestamp, payload)
            case AudioMessage(timestamp, payload):
                feed.audio.take(timestamp, payload)
            case _:
                others.append(event)
    return recorder, others, connection


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("make", SESSIONS)
def test_complete_session_gives_all_units_and_events(make: Callable[[], Session], split: Split) -> None:
    session = make()
    recorder, others, connection = publish(session, split)
    request, metadata, end = others
    assert request == PublishRequested(session.app, session.key, session.software)
    assert isinstance(metadata, Metadata)
    assert metadata.values["encoder"] == "an encoder"
    assert end == Unpublished()
    assert connection.state is State.CONNECTED
    assert recorder.names[:2] == ["audio-config", "video-config"]
    video = [unit for unit in recorder.units if unit.kind is Kind.VIDEO]
    audio = [unit for unit in recorder.units if unit.kind is Kind.AUDIO]
    assert [unit.dts for unit in audio] == [number * 1024 for number in range(46)]
    assert [unit.dts for unit in video] == [number * 1000 // 30 * 90 for number in range(30)]
    assert [unit.key for unit in video] == [True] + [False] * 29
    assert {unit.cts for unit in video[1:]} == {33 * 90}


@pytest.mark.parametrize("make", SESSIONS)
def test_replies_have_the_order_that_clients_expect(make: Callable[[], Session]) -> None:
    connection = ServerConnection()
    session = make()
    events_of(connection, session.opening)
    connection.accept_publish()
    events_of(connection, session.media + session.closing)
    assert answers_to(connection.data_to_send()) == [
        "_result",
        "_result",
        "_result",
        "_result",
        "NetStream.Publish.Start",
        "_result",
        "NetStream.Unpublish.Success",
    ]


@settings(max_examples=25)
@given(st.sampled_from(SESSIONS), st.lists(st.integers(1, 4000), min_size=1, max_size=6))
def test_any_split_gives_the_same_calls_and_events(make: Callable[[], Session], sizes: list[int]) -> None:
    session = make()
    expected, others, _ = publish(session, SPLITS[0])
    recorder, other_events, _ = publish(session, pieces_of(*sizes))
    assert recorder.calls == expected.calls
    assert other_events == others
