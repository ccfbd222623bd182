"""Ingest raises only declared errors, for damaged sessions, generated sessions and noise."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.feed import MediaFeed
from ingest.flv import UnsupportedCodec
from ingest.rtmp import (
    NEED_DATA,
    PAUSED,
    AudioMessage,
    LimitError,
    Limits,
    Metadata,
    PeerError,
    PublishRequested,
    ServerConnection,
    VideoMessage,
)
from ingest.rtmp.amf0 import encode
from ingest.rtmp.message import MESSAGE_TYPES, Message
from media.errors import MediaLimit
from tests.interop.sessions import SESSIONS
from tests.unit.ingest.samples import (
    AAC_FRAME,
    MP3_FRAME,
    Recorder,
    aac_header,
    avc,
    avc_header,
    inter_frame,
    key_frame,
    nal_units,
)
from tests.unit.ingest.wire import HANDSHAKE, ChunkWriter, command

LIMITS = Limits(max_message_size=100_000, max_partial_size=150_000, max_chunk_streams=8)
# The receive buffer after it has grown, plus all partial messages.
MAX_MEMORY = 2 * 131_072 + LIMITS.max_partial_size

SEEDS = [session.opening + session.media + session.closing for session in (make() for make in SESSIONS)]


class Publisher:
    """A connection and its publication, connected as in the server."""

    def __init__(self) -> None:
        self.connection = ServerConnection(LIMITS, lambda count: bytes(count))
        self.recorder = Recorder()
        self._feed = MediaFeed(self.recorder)

    def receive(self, data: bytes) -> None:
        self.connection.receive_data(data)
        while (event := self.connection.next_event()) is not NEED_DATA and event is not PAUSED:
            match event:
                case PublishRequested():
                    self.connection.accept_publish()
                case VideoMessage(timestamp, payload):
                    self._feed.video.take(timestamp, payload)
                case AudioMessage(timestamp, payload):
                    self._feed.audio.take(timestamp, payload)
                case Metadata(values):
                    self.recorder.on_metadata(values)
        self.connection.data_to_send()


def assert_only_declared_errors(pieces: list[bytes]) -> None:
    """Feed ``pieces`` until the end or a declared error. Any other exception fails the test."""
    publisher = Publisher()
    try:
        for piece in pieces:
            publisher.receive(piece)
    except (PeerError, LimitError, MediaLimit, UnsupportedCodec) as error:
        assert error.code not in ("rtmp", "rtmp-peer", "rtmp-limit", "media-limit", "error")
        assert str(error)
    reader = publisher.connection._reader
    assert len(publisher.connection._buffer.data) + reader._partial_size <= MAX_MEMORY
    for before, after in zip(publisher.recorder.units, publisher.recorder.units[1:], strict=False):
        assert after.kind is not before.kind or after.dts > before.dts


@st.composite
def damaged_sessions(draw: st.DrawFn) -> list[bytes]:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 5))):
        # Mostly after the handshake, because other bytes there only give another valid handshake.
        at = draw(st.integers(0, len(data) - 1) | st.integers(len(HANDSHAKE), len(data) - 1))
        match draw(st.sampled_from(["flip", "cut", "insert", "repeat"])):
            case "flip":
                data[at] ^= draw(st.integers(1, 255))
            case "cut":
                del data[at : at + draw(st.integers(1, 200))]
            case "insert":
                data[at:at] = draw(st.binary(max_size=40))
            case "repeat":
                data[at:at] = data[at : at + draw(st.integers(1, 400))]
        if len(data) <= len(HANDSHAKE):
            break
    size = draw(st.sampled_from([1000, 65536]))
    return [bytes(data[at : at + size]) for at in range(0, len(data), size)]


@settings(max_examples=250)
@given(damaged_sessions())
def test_damaged_sessions(pieces: list[bytes]) -> None:
    assert_only_declared_errors(pieces)


bodies = st.one_of(
    st.sampled_from([avc_header(), aac_header(), key_frame(), inter_frame(), AAC_FRAME, b"\x2f" + MP3_FRAME]),
    st.binary(max_size=60),
    # NAL units after start codes, a slice that continues a picture, parameter sets, and ADTS.
    st.sampled_from([b"\x17\x01\0\0\0\0\0\1e", b"\x27\x01\0\0\0\0\0\0\3A\x40", b"\xaf\x01\xff\xf1"]).flatmap(
        lambda head: st.binary(max_size=20).map(lambda rest: head + rest)
    ),
    st.sampled_from([b"\x67", b"\x68", b"\x06", b"\x65\x88", b"\x41\x40"]).flatmap(
        lambda head: st.binary(max_size=20).map(lambda rest: avc(nal_units(head + rest), key=True))
    ),
    st.sampled_from([b"\x17\x00\0\0\0", b"\x17\x01\0\0\0", b"\xaf\x00", b"\x2f\xff"]).flatmap(
        lambda head: st.binary(max_size=40).map(lambda rest: head + rest)
    ),
)
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    [
        "connect",
        "createStream",
        "publish",
        "FCUnpublish",
        "deleteStream",
        "_checkbw",
        "_result",
        "play",
        "onMetaData",
    ]
) | st.text(max_size=8)
payloads = (
    bodies
    | st.builds(lambda name, rest: encode(name, *rest), names, st.lists(values, max_size=4))
    | st.builds(
        lambda name, number, rest: encode(name, number, *rest), names, st.floats(), st.lists(values, max_size=3)
    )
)
messages = st.builds(
    Message,
    st.sampled_from([8, 9, 8, 9, 8, 9, *sorted(MESSAGE_TYPES)]),
    st.integers(0, 2),
    st.integers(0, 0xFFFFFFFF) | st.integers(0, 5000),
    payloads,
)


@settings(max_examples=250)
@given(st.lists(st.tuples(st.sampled_from([2, 3, 4, 6, 64, 400]), messages), max_size=25), st.booleans())
def test_generated_sessions(sent: list[tuple[int, Message]], publish_first: bool) -> None:
    writer = ChunkWriter()
    data = HANDSHAKE
    if publish_first:
        data += writer.message(3, command("connect", 1.0, {"app": "live"}))
        data += writer.message(3, command("publish", 2.0, None, "key", on=1))
    assert_only_declared_errors([data, *(writer.message(chunk_stream, message) for chunk_stream, message in sent)])


@settings(max_examples=100)
@given(st.binary(max_size=300), st.booleans())
def test_noise(data: bytes, after_handshake: bool) -> None:
    assert_only_declared_errors([HANDSHAKE if after_handshake else b"", data])
