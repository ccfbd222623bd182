"""What a peer may send before it publishes, and what one call may cost: neither depends on the peer."""

import gc
from collections.abc import Callable

import pytest

from ingest.rtmp import NEED_DATA, PublishRequested, RtmpError, ServerConnection, State, Unpublished, connection
from ingest.rtmp.amf0 import encode
from ingest.rtmp.chunk_writer import basic_header
from ingest.rtmp.errors import AmfLimit, TooManyAggregated, TooManyPartialMessages, TooMuchBeforePublish
from ingest.rtmp.events import AGAIN, Event
from ingest.rtmp.limits import Limits
from ingest.rtmp.message import Message, MessageType
from tests.unit.ingest.wire import HANDSHAKE, ChunkWriter, command, control, events_of

LIMITS = Limits()
CONNECT = command("connect", 1.0, {"app": "live"})
PUBLISH = command("publish", 2.0, None, "key", "live", on=1)
PING = Message(MessageType.USER_CONTROL, 0, 0, bytes.fromhex("000600000507"))
NULL = encode(None)


class Peer:
    """A peer that has connected, and whose chunks have at most ``chunk_size`` bytes."""

    def __init__(self) -> None:
        self.server = ServerConnection()
        self.writer = ChunkWriter()
        self.send(HANDSHAKE)
        self.messages(CONNECT)

    def send(self, data: bytes) -> list[Event]:
        return events_of(self.server, data)

    def messages(self, *messages: Message) -> list[Event]:
        return self.send(b"".join(self.writer.message(3, message, 0) for message in messages))

    def set_chunk_size(self, size: int) -> None:
        self.messages(control(MessageType.SET_CHUNK_SIZE, size))
        self.writer.chunk_size = size

    def publish(self) -> None:
        assert [type(event) for event in self.messages(PUBLISH)] == [PublishRequested]
        self.server.accept_publish()
        assert self.send(b"") == []


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.mark.parametrize(
    "message",
    [
        PING,
        command("makeCoffee", 7.0),
        command("_result", 7.0),
        control(MessageType.SET_CHUNK_SIZE, 128),
        control(MessageType.ACKNOWLEDGEMENT, 5),
        control(MessageType.ABORT, 3),
        Message(MessageType.DATA_AMF0, 1, 0, b""),
        Message(MessageType.VIDEO, 1, 0, b""),
        Message(MessageType.AGGREGATE, 1, 0, b""),
    ],
    ids=lambda message: f"{MessageType(message.type_id).name.lower()}-{message.payload[:12].hex()}",
)
def test_messages_of_any_kind_are_limited(peer: Peer, message: Message) -> None:
    for _ in range(LIMITS.messages_before_publish - 1):
        peer.messages(message)
    with pytest.raises(TooMuchBeforePublish, match="64 messages"):
        peer.messages(message)


def test_bytes_are_limited(peer: Peer) -> None:
    peer.set_chunk_size(65536)
    large = Message(MessageType.VIDEO, 1, 0, bytes(60_000))
    peer.messages(large, large)
    with pytest.raises(TooMuchBeforePublish, match="131072 bytes"):
        peer.messages(large)


def test_chunks_are_limited(peer: Peer) -> None:
    peer.set_chunk_size(1)
    with pytest.raises(TooMuchBeforePublish, match="2048 chunks"):
        peer.messages(Message(MessageType.VIDEO, 1, 0, bytes(5000)))


def test_values_of_all_commands_are_limited_together(peer: Peer) -> None:
    call = Message(MessageType.COMMAND_AMF0, 0, 0, encode("call", 0.0) + 500 * NULL)
    peer.messages(call)
    with pytest.raises(AmfLimit):
        peer.messages(call, call)


def test_data_messages_are_not_decoded(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "parse_metadata", lambda *_: pytest.fail("a data message was decoded"))
    data = Message(MessageType.DATA_AMF0, 1, 0, 4000 * NULL)
    tag = b"\x12" + len(data.payload).to_bytes(3, "big") + bytes(7) + data.payload + bytes(4)
    assert peer.messages(data, Message(MessageType.AGGREGATE, 1, 0, tag)) == []


def test_partial_messages_are_limited_together(peer: Peer) -> None:
    peer.set_chunk_size(60_000)
    first, second = (
        peer.writer.write(stream, Message(MessageType.VIDEO, 1, 0, bytes(size)))[0]
        for stream, size in ((5, 61_000), (6, 20_000))
    )
    peer.send(first[:30_000])
    peer.send(first[30_000:])
    with pytest.raises(TooManyPartialMessages, match="65536 bytes"):
        peer.send(second[:10_000])


def test_an_incomplete_message_takes_little_memory(peer: Peer) -> None:
    peer.set_chunk_size(65536)
    (chunk,) = peer.writer.write(5, Message(MessageType.VIDEO, 1, 0, bytes(60_000)))
    for at in range(0, 50_000, 1000):
        peer.server.get_buffer()[:1000] = chunk[at : at + 1000]
        peer.server.buffer_updated(1000)
        while peer.server.next_event() is not NEED_DATA:
            pass
    assert len(peer.server._buffer.data) <= 32_768


def test_a_publication_counts_nothing_and_does_not_renew_the_limits(peer: Peer) -> None:
    peer.set_chunk_size(4096)
    for _ in range(2):
        peer.publish()
        frame = Message(MessageType.VIDEO, 1, 0, bytes(5000))
        assert len(peer.messages(*[frame] * 100, *[PING] * 100)) == 100
        assert peer.messages(command("deleteStream", 3.0)) == [Unpublished()]
    peer.messages(*[PING] * (LIMITS.messages_before_publish - 4))
    with pytest.raises(TooMuchBeforePublish):
        peer.messages(PING)


def test_a_call_reads_one_message_or_some_chunks(peer: Peer) -> None:
    peer.publish()
    peer.server.receive_data(b"".join(peer.writer.message(3, PING, 0) for _ in range(1000)))
    calls = 0
    while (signal := peer.server.next_event()) is not NEED_DATA:
        assert signal is AGAIN
        calls += 1
    assert calls == 1000


@pytest.mark.parametrize("streams", [1, 2])
def test_a_call_reads_a_few_of_the_smallest_chunks(peer: Peer, streams: int) -> None:
    """Chunks of one byte, of one chunk stream or of several in turn."""
    peer.publish()
    peer.set_chunk_size(1)
    pieces = [
        peer.writer.write(5 + number, Message(MessageType.VIDEO, 1, 0, bytes(20_000))) for number in range(streams)
    ]
    data = b"".join(piece for group in zip(*pieces, strict=True) for piece in group)
    peer.server.receive_data(data[:-2])
    calls, before = 0, len(peer.server._buffer)
    while peer.server.next_event() is not NEED_DATA:
        read, before = before - len(peer.server._buffer), len(peer.server._buffer)
        assert read <= 2 * 1100
        calls += 1
    assert calls >= 18
    assert len(peer.send(data[-2:])) >= 1


def aggregate(count: int, kind: int = MessageType.AUDIO, payload: bytes = b"") -> Message:
    tag = bytes((kind,)) + len(payload).to_bytes(3, "big") + bytes(7) + payload + bytes(4)
    return Message(MessageType.AGGREGATE, 1, 0, count * tag)


def test_an_aggregate_has_few_messages_and_each_is_a_call(peer: Peer) -> None:
    peer.publish()
    peer.set_chunk_size(65536)
    peer.server.receive_data(peer.writer.message(3, aggregate(100, MessageType.DATA_AMF0, 10 * NULL), 0))
    calls = 0
    while peer.server.next_event() is not NEED_DATA:
        calls += 1
    assert calls == 101
    assert len(peer.messages(aggregate(LIMITS.max_aggregated))) == LIMITS.max_aggregated
    with pytest.raises(TooManyAggregated):
        peer.messages(aggregate(489_335))


def test_data_in_an_aggregate_has_the_size_limit_of_data(peer: Peer) -> None:
    peer.publish()
    peer.set_chunk_size(65536)
    (event,) = peer.messages(aggregate(1, MessageType.DATA_AMF0, 70_000 * NULL))
    assert event.reason == "message-too-large"  # type: ignore[union-attr]


def begin_message(peer: Peer) -> None:
    peer.send(peer.writer.write(5, Message(MessageType.VIDEO, 1, 0, bytes(60_000)))[0])


def break_protocol(peer: Peer) -> None:
    with pytest.raises(RtmpError):
        peer.send(basic_header(3, 60))


@pytest.mark.parametrize("leave", [begin_message, break_protocol, Peer.publish])
def test_a_closed_connection_needs_no_garbage_collection(leave: Callable[[Peer], None]) -> None:
    def connections() -> int:
        return sum(isinstance(found, ServerConnection) for found in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = connections()
        peer = Peer()
        leave(peer)
        peer.server.close()
        assert len(peer.server._buffer.data) == 0
        assert peer.server.state is State.ENDED
        assert peer.server.next_event() is NEED_DATA
        assert connections() == before + 1
        del peer
        assert connections() == before
    finally:
        gc.enable()
