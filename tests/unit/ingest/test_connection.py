"""The RTMP core as a whole: its events and replies, for any split of the input."""

from collections.abc import Mapping
from itertools import pairwise

import pytest

from ingest.rtmp import (
    NEED_DATA,
    PAUSED,
    AudioMessage,
    LocalError,
    MessageDropped,
    Metadata,
    PlayRefused,
    PublishRequested,
    ServerConnection,
    State,
    Unpublished,
    VideoMessage,
    states,
)
from ingest.rtmp.amf0 import EcmaArray, Value, decode, encode
from ingest.rtmp.errors import (
    MalformedAmf,
    MalformedMessage,
    MessageTooLarge,
    TooManyMessageStreams,
    UnexpectedCommand,
)
from ingest.rtmp.limits import Limits
from ingest.rtmp.message import Message, MessageType
from ingest.rtmp.states import TRANSITIONS, Input
from tests.unit.ingest.wire import HANDSHAKE, SPLITS, ChunkWriter, ReplyReader, Split, command, control, events_of

KEY = "s3cret-key"
CONNECT = command("connect", 1.0, {"app": "live", "flashVer": "FMLE/3.0", "tcUrl": "rtmp://host/live"})
PUBLISH = command("publish", 5.0, None, KEY, "live", on=1)
VIDEO = Message(MessageType.VIDEO, 1, 40, b"\x27\x01\x00\x00\x00frame")
AUDIO = Message(MessageType.AUDIO, 1, 41, b"\xaf\x01frame")


class Peer:
    """A server connection together with a test client."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.connection = ServerConnection(limits)
        self.writer = ChunkWriter()
        self.reader = ReplyReader()

    def send(self, *messages: Message, split: Split = SPLITS[0], chunk_stream: int = 3) -> list[object]:
        data = b"".join(self.writer.message(chunk_stream, message, 0) for message in messages)
        return list(events_of(self.connection, data, split))

    def replies(self) -> list[Message]:
        return self.reader.messages(self.connection.data_to_send())

    def reply_commands(self) -> list[list[Value]]:
        return [
            decode(message.payload) for message in self.replies() if message.type_id == MessageType.COMMAND_AMF0
        ]

    def status(self) -> Mapping[str, Value]:
        """The information object of the last onStatus."""
        information = [values for values in self.reply_commands() if values[0] == "onStatus"][-1][3]
        assert isinstance(information, dict)
        return information


@pytest.fixture
def connecting() -> Peer:
    peer = Peer()
    events_of(peer.connection, HANDSHAKE)
    return peer


@pytest.fixture
def connected(connecting: Peer) -> Peer:
    connecting.send(CONNECT)
    connecting.replies()
    return connecting


@pytest.fixture
def publishing(connected: Peer) -> Peer:
    connected.send(PUBLISH)
    connected.connection.accept_publish()
    connected.replies()
    return connected


@pytest.mark.parametrize("split", SPLITS)
def test_any_split_of_a_session_gives_the_same_events(split: Split) -> None:
    peer = Peer()
    connection = peer.connection
    writer = ChunkWriter()
    opening = HANDSHAKE + b"".join(writer.message(3, message) for message in (CONNECT, PUBLISH))
    assert events_of(connection, opening, split) == [PublishRequested("live", KEY, "FMLE/3.0")]
    connection.accept_publish()
    media = writer.message(6, VIDEO) + writer.message(4, AUDIO) + writer.message(3, command("deleteStream", 6.0))
    assert events_of(connection, media, split) == [
        VideoMessage(40, VIDEO.payload),
        AudioMessage(41, AUDIO.payload),
        Unpublished(),
    ]


def test_connect_is_answered_at_once_and_in_order(connecting: Peer) -> None:
    connecting.send(CONNECT)
    window, bandwidth, chunk_size, result = connecting.replies()
    assert window.type_id == MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE
    assert bandwidth.type_id == MessageType.SET_PEER_BANDWIDTH
    assert (chunk_size.type_id, chunk_size.payload) == (MessageType.SET_CHUNK_SIZE, (65536).to_bytes(4, "big"))
    name, transaction, _, information = decode(result.payload)
    assert (name, transaction) == ("_result", 1.0)
    assert isinstance(information, dict)
    assert information["code"] == "NetConnection.Connect.Success"


@pytest.mark.parametrize(
    ("app", "expected"),
    [("live", "live"), ("/live?x=1", "/live?x=1"), (None, "")],
)
def test_publish_request_has_the_app_as_it_was_sent(connecting: Peer, app: Value, expected: str) -> None:
    connecting.send(command("connect", 1.0, {"app": app}))
    (event,) = connecting.send(PUBLISH)
    assert isinstance(event, PublishRequested)
    assert (event.app, event.software) == (expected, None)


def test_repr_of_a_publish_request_does_not_contain_the_key(connected: Peer) -> None:
    (event,) = connected.send(PUBLISH)
    assert KEY not in repr(event)


def test_encoder_commands_before_publish_are_answered(connected: Peer) -> None:
    connected.send(
        command("releaseStream", 2.0, None, KEY),
        command("FCPublish", 3.0, None, KEY),
        command("createStream", 4.0),
        command("_checkbw", 5.0),
        command("getStreamLength", 6.0, None, KEY),
    )
    answers = connected.reply_commands()
    assert [values[:2] for values in answers] == [["_result", float(number)] for number in range(2, 7)]
    assert answers[2][3] == 1.0
    assert answers[4][3] == 0.0
    assert KEY not in repr(answers)


def test_unknown_command_is_answered_with_an_error(connected: Peer) -> None:
    connected.send(command("makeCoffee", 9.0), command("silently", 0.0))
    ((name, transaction, _, information),) = connected.reply_commands()
    assert (name, transaction) == ("_error", 9.0)
    assert isinstance(information, dict)
    assert information["code"] == "NetConnection.Call.Failed"


def test_replies_from_the_peer_are_ignored(connected: Peer) -> None:
    assert connected.send(command("_result", 1.0), command("_error", 2.0), command("onStatus", 0.0)) == []
    assert connected.replies() == []


def test_messages_are_not_parsed_while_a_publish_request_is_open(connected: Peer) -> None:
    assert len(connected.send(PUBLISH, VIDEO)) == 1
    assert connected.connection.next_event() is PAUSED
    connected.connection.accept_publish()
    assert connected.connection.next_event() == VideoMessage(40, VIDEO.payload)
    assert connected.connection.next_event() is NEED_DATA
    assert connected.status()["code"] == "NetStream.Publish.Start"


def test_refusal_has_the_code_that_obs_fails_on(connected: Peer) -> None:
    connected.send(PUBLISH)
    connected.connection.refuse_publish("that key has been rotated")
    status = connected.status()
    assert (status["level"], status["code"]) == ("error", "NetStream.Publish.BadName")
    assert status["description"] == "that key has been rotated"
    assert connected.connection.state is State.ENDED
    assert connected.send(VIDEO) == []


def test_status_is_sent_on_the_publishing_message_stream(connected: Peer) -> None:
    connected.send(command("publish", 5.0, None, KEY, on=7))
    connected.connection.refuse_publish("no")
    assert connected.replies()[-1].stream_id == 7


def test_answering_without_an_open_publish_request_raises_local_error(connected: Peer) -> None:
    with pytest.raises(LocalError):
        connected.connection.accept_publish()
    connected.send(PUBLISH)
    connected.connection.accept_publish()
    with pytest.raises(LocalError):
        connected.connection.refuse_publish("too late")


def test_publish_without_a_name_has_an_empty_name(connected: Peer) -> None:
    (event,) = connected.send(command("publish", 5.0))
    assert isinstance(event, PublishRequested)
    assert event.name == ""


@pytest.mark.parametrize("name", ["play", "play2"])
def test_play_is_refused_with_a_hint_to_hls(connected: Peer, name: str) -> None:
    assert connected.send(command(name, 4.0, None, KEY, on=1)) == [PlayRefused()]
    status = connected.status()
    assert status["code"] == "NetStream.Play.Failed"
    assert "HLS" in str(status["description"])
    assert connected.connection.state is State.ENDED


@pytest.mark.parametrize("name", ["FCUnpublish", "closeStream", "deleteStream"])
def test_every_stop_command_unpublishes(publishing: Peer, name: str) -> None:
    assert publishing.send(command(name, 0.0, None, KEY)) == [Unpublished()]
    assert publishing.status()["code"] == "NetStream.Unpublish.Success"
    assert publishing.connection.state is State.CONNECTED


def test_second_stop_command_is_ignored_and_publishing_again_works(publishing: Peer) -> None:
    assert publishing.send(command("FCUnpublish", 6.0), command("deleteStream", 7.0), VIDEO) == [Unpublished()]
    assert len(publishing.send(PUBLISH)) == 1


def test_media_before_publishing_is_ignored(connected: Peer) -> None:
    assert connected.send(VIDEO, AUDIO) == []


@pytest.mark.parametrize("name", ["publish", "createStream", "play", "FCUnpublish", "anything"])
def test_commands_before_connect_are_rejected(connecting: Peer, name: str) -> None:
    with pytest.raises(UnexpectedCommand):
        connecting.send(command(name, 1.0))


def test_second_connect_or_publish_is_rejected(publishing: Peer) -> None:
    with pytest.raises(UnexpectedCommand):
        publishing.send(PUBLISH)
    with pytest.raises(UnexpectedCommand):
        publishing.send(CONNECT)


METADATA = EcmaArray(width=1280.0, encoder="obs", stereo=True, nested={"a": 1.0}, nothing=None)


@pytest.mark.parametrize(
    "payload",
    [
        encode("@setDataFrame", "onMetaData", METADATA),
        encode("onMetaData", METADATA),
        encode("onMetaData", dict(METADATA)),
    ],
)
@pytest.mark.parametrize(("type_id", "prefix"), [(18, b""), (15, b"\0"), (15, b"")])
def test_metadata(publishing: Peer, payload: bytes, type_id: int, prefix: bytes) -> None:
    assert publishing.send(Message(type_id, 1, 0, prefix + payload)) == [
        Metadata({"width": 1280.0, "encoder": "obs", "stereo": True})
    ]


@pytest.mark.parametrize(
    "payload", [encode("onTextData", {"text": "x"}), encode("@clearDataFrame"), encode("onMetaData")]
)
def test_other_data_messages_are_ignored(publishing: Peer, payload: bytes) -> None:
    assert publishing.send(Message(MessageType.DATA_AMF0, 1, 0, payload)) == []


def test_malformed_data_message_is_dropped_and_reported(publishing: Peer) -> None:
    broken = Message(MessageType.DATA_AMF0, 1, 0, b"\x02\xff\xff")
    assert publishing.send(broken, VIDEO) == [MessageDropped("malformed-amf"), VideoMessage(40, VIDEO.payload)]


def test_amf3_command_messages_are_parsed_as_amf0(connecting: Peer) -> None:
    payload = encode("connect", 1.0, {"app": "live"})
    connecting.send(Message(MessageType.COMMAND_AMF3, 0, 0, b"\0" + payload))
    assert connecting.connection.state is State.CONNECTED
    connecting.send(Message(MessageType.COMMAND_AMF3, 0, 0, encode("createStream", 2.0, None)))
    assert connecting.reply_commands()[-1][3] == 1.0


@pytest.mark.parametrize("payload", [b"", b"\x05", encode("connect"), encode(1.0, 2.0)])
def test_message_without_a_command_name_is_rejected(connecting: Peer, payload: bytes) -> None:
    with pytest.raises(MalformedMessage):
        connecting.send(Message(MessageType.COMMAND_AMF0, 0, 0, payload))


def test_malformed_command_is_rejected(connecting: Peer) -> None:
    with pytest.raises(MalformedAmf):
        connecting.send(Message(MessageType.COMMAND_AMF0, 0, 0, b"\x02\xff"))


def test_number_of_message_streams_has_a_limit(connected: Peer) -> None:
    with pytest.raises(TooManyMessageStreams):
        connected.send(*(command("createStream", float(number)) for number in range(17)))


def test_pings_are_answered(connected: Peer) -> None:
    ping = Message(MessageType.USER_CONTROL, 0, 0, bytes.fromhex("0006 00000507"))
    connected.send(ping, Message(MessageType.USER_CONTROL, 0, 0, bytes.fromhex("0003 00000001 00000bb8")))
    assert connected.replies() == [Message(MessageType.USER_CONTROL, 0, 0, bytes.fromhex("0007 00000507"))]


@pytest.mark.parametrize("type_id", [1, 2, 5, 6])
def test_too_short_control_messages_are_rejected(connected: Peer, type_id: int) -> None:
    with pytest.raises(MalformedMessage):
        connected.send(Message(type_id, 0, 0, b"\0\0"))


def test_acknowledgements_are_sent_only_after_the_peer_sets_a_window(publishing: Peer) -> None:
    publishing.send(*[VIDEO] * 500)
    assert publishing.replies() == []
    publishing.send(control(MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE, 1000))
    publishing.replies()
    before = publishing.connection.bytes_received
    publishing.send(*[VIDEO] * 200, split=SPLITS[1])
    received = publishing.connection.bytes_received - before
    acknowledged = [int.from_bytes(message.payload, "big") for message in publishing.replies()]
    assert received // 1000 - 1 <= len(acknowledged) <= received // 1000 + 1
    steps = [after - earlier for earlier, after in pairwise(acknowledged)]
    assert set(steps) == {1000}


def test_set_peer_bandwidth_is_answered_once(connected: Peer) -> None:
    bandwidth = Message(MessageType.SET_PEER_BANDWIDTH, 0, 0, (5000).to_bytes(4, "big") + b"\x02")
    connected.send(bandwidth, bandwidth)
    assert connected.replies() == [control(MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE, 5000)]


def test_large_message_before_publishing_is_rejected(connected: Peer) -> None:
    with pytest.raises(MessageTooLarge):
        connected.send(Message(MessageType.VIDEO, 1, 0, bytes(70_000)))


def test_publisher_can_send_large_messages(publishing: Peer) -> None:
    (event,) = publishing.send(Message(MessageType.VIDEO, 1, 0, bytes(1_000_000)))
    assert event == VideoMessage(0, bytes(1_000_000))
    with pytest.raises(MessageTooLarge):
        publishing.send(Message(MessageType.VIDEO, 1, 0, bytes(16_000_000)))


def flv_tag(kind: int, timestamp: int, body: bytes) -> bytes:
    header = bytes((kind,)) + len(body).to_bytes(3, "big") + (timestamp & 0xFFFFFF).to_bytes(3, "big")
    header += bytes((timestamp >> 24,)) + bytes(3)
    return header + body + (11 + len(body)).to_bytes(4, "big")


def test_aggregate_is_split_into_its_messages(publishing: Peer) -> None:
    payload = (
        flv_tag(9, 0x1000005, b"v") + flv_tag(8, 0x1000009, b"a") + flv_tag(18, 0x1000009, encode("onTextData"))
    )
    assert publishing.send(Message(MessageType.AGGREGATE, 1, 70, payload), AUDIO) == [
        VideoMessage(70, b"v"),
        AudioMessage(74, b"a"),
        AudioMessage(41, AUDIO.payload),
    ]


def test_malformed_aggregate_is_dropped_and_reported(publishing: Peer) -> None:
    payload = flv_tag(9, 5, b"vvvv")[:-6]
    assert publishing.send(Message(MessageType.AGGREGATE, 1, 70, payload)) == [MessageDropped("malformed-message")]


def test_shared_objects_and_acknowledgements_are_ignored(publishing: Peer) -> None:
    assert publishing.send(*(Message(type_id, 0, 0, bytes(4)) for type_id in (3, 16, 19))) == []


def test_server_ends_the_session(publishing: Peer) -> None:
    publishing.connection.end("ended by the operator")
    status = publishing.status()
    assert (status["level"], status["description"]) == ("error", "ended by the operator")
    assert publishing.send(VIDEO) == []
    publishing.connection.end("again")
    assert publishing.replies() == []


def test_get_buffer_is_equivalent_to_receive_data() -> None:
    connection = ServerConnection()
    data = HANDSHAKE + ChunkWriter().message(3, CONNECT) + ChunkWriter().message(3, PUBLISH)
    events = []
    for at in range(0, len(data), 1000):
        piece = data[at : at + 1000]
        connection.get_buffer()[: len(piece)] = piece
        connection.buffer_updated(len(piece))
        events += events_of(connection)
    assert events == [PublishRequested("live", KEY, "FMLE/3.0")]
    assert connection.bytes_received == len(data)


def test_every_state_can_end_and_ended_is_final() -> None:
    assert set(TRANSITIONS) == set(State)
    assert all(inputs[Input.END] is State.ENDED for inputs in TRANSITIONS.values())
    assert set(TRANSITIONS[State.ENDED]) == {Input.END}


def test_documented_state_table_matches_the_code() -> None:
    rows = [line.split() for line in (states.__doc__ or "").splitlines() if line.split()[:1] and line[0].isupper()]
    drawn = {(row[0], row[1], row[-1]) for row in rows if row[0] in State.__members__}
    table = {
        (state.name, state_input.name, after.name)
        for state, inputs in TRANSITIONS.items()
        for state_input, after in inputs.items()
        if state_input is not Input.END
    }
    assert drawn == table


@pytest.mark.parametrize(
    ("caps", "asked"), [(1.0, True), (3.0, True), (2.0, False), (None, False), ("1", False), (1e300, False)]
)
def test_a_publisher_that_announced_it_is_asked_to_connect_again(
    connecting: Peer, caps: Value, asked: bool
) -> None:
    """Enhanced RTMP v2, "Reconnect Request"."""
    connecting.send(command("connect", 1.0, {"app": "live", "capsEx": caps}))
    assert not connecting.connection.request_reconnect("not yet")
    connecting.send(command("createStream", 4.0, None), PUBLISH)
    connecting.connection.accept_publish()
    connecting.replies()
    assert connecting.connection.request_reconnect("the server is being replaced") is asked
    replies = connecting.replies()
    assert [message.stream_id for message in replies] == [0] * asked
    if asked:
        assert decode(replies[0].payload)[3] == {
            "level": "status",
            "code": "NetConnection.Connect.ReconnectRequest",
            "description": "the server is being replaced",
        }
