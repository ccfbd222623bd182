"""Parsing and writing chunks: every header format, any split of the input, interleaved messages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rtmp.chunk_writer import basic_header, encode_message
from ingest.rtmp.errors import (
    MalformedChunk,
    MessageTooLarge,
    PeerError,
    RtmpError,
    TooManyChunkStreams,
    TooManyPartialMessages,
)
from ingest.rtmp.limits import Limits
from ingest.rtmp.message import Message, MessageType
from tests.unit.ingest.wire import SPLITS, ChunkWriter, Split, control, pieces_of, read_messages

VIDEO, AUDIO = MessageType.VIDEO, MessageType.AUDIO


def video(timestamp: int, payload: bytes, stream_id: int = 1) -> Message:
    return Message(VIDEO, stream_id, timestamp, payload)


def pattern(size: int) -> bytes:
    return bytes(at % 251 for at in range(size))


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("chunk_stream", [2, 3, 63, 64, 319, 320, 65599])
def test_every_chunk_stream_id_format(chunk_stream: int, split: Split) -> None:
    messages = [video(0, pattern(300)), video(40, pattern(129)), video(80, pattern(129))]
    writer = ChunkWriter()
    data = b"".join(writer.message(chunk_stream, message) for message in messages)
    assert read_messages(data, split) == messages


@pytest.mark.parametrize(
    ("chunk_stream", "header"),
    [(3, "03"), (63, "3f"), (64, "0000"), (319, "00ff"), (320, "010001"), (65599, "01ffff")],
)
def test_basic_header(chunk_stream: int, header: str) -> None:
    assert basic_header(0, chunk_stream) == bytes.fromhex(header)


def test_three_byte_header_with_a_low_id() -> None:
    short = ChunkWriter().message(64, video(0, b"abc"))
    long = bytes.fromhex("010000") + short[2:]
    assert read_messages(long) == [video(0, b"abc")]


def test_header_formats_of_the_specification_example_1() -> None:
    """Section 5.3.2.1, example 1: one type 0, one type 2, then type 3 chunks."""
    data = bytes.fromhex("03 0003e8 000020 08 39300000") + bytes(32) + bytes.fromhex("83 000014") + bytes(32)
    data += (b"\xc3" + bytes(32)) * 2
    assert [message.timestamp for message in read_messages(data)] == [1000, 1020, 1040, 1060]
    assert {message.stream_id for message in read_messages(data)} == {12345}


def test_long_message_of_the_specification_example_2() -> None:
    """Section 5.3.2.2, example 2: 307 bytes in chunks of 128."""
    data = encode_message(4, Message(VIDEO, 12346, 1000, bytes(307)))
    assert len(data) == 12 + 128 + 1 + 128 + 1 + 51
    assert data[140] == data[269] == 0xC4
    assert read_messages(data) == [Message(VIDEO, 12346, 1000, bytes(307))]


def test_type_3_after_type_0_repeats_its_timestamp_as_a_delta() -> None:
    """Section 5.3.1.2.4. ffmpeg sends this if two frames have equal size and equal spacing."""
    data = ChunkWriter().message(4, Message(AUDIO, 1, 23, b"aa")) + b"\xc4bb"
    assert [message.timestamp for message in read_messages(data)] == [23, 46]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("repeat", [True, False])
@pytest.mark.parametrize("timestamp", [0xFFFFFE, 0xFFFFFF, 0x1000000, 0xFFFFFFFF])
def test_extended_timestamps(timestamp: int, repeat: bool, split: Split) -> None:
    """Some encoders omit the extended timestamp in the later chunks of a message."""
    writer = ChunkWriter(repeat_extended=repeat)
    messages = [video(timestamp, pattern(400)), video((timestamp + 40) & 0xFFFFFFFF, pattern(300))]
    data = b"".join(writer.message(6, message) for message in messages)
    assert read_messages(data, split) == messages


def test_an_extended_delta() -> None:
    writer = ChunkWriter()
    messages = [video(5, b"aa"), video(5 + 0x2000000, b"bb"), video(5 + 0x4000000, b"cc")]
    data = b"".join(writer.message(6, message) for message in messages)
    assert len(data) == 12 + 2 + 8 + 2 + 5 + 2
    assert read_messages(data) == messages


def test_timestamps_wrap() -> None:
    writer = ChunkWriter()
    messages = [video(0xFFFFFFF0, b"aa"), video(0x10, b"bb")]
    assert read_messages(b"".join(writer.message(6, message) for message in messages)) == messages


def test_an_empty_message() -> None:
    assert read_messages(ChunkWriter().message(6, video(7, b""))) == [video(7, b"")]


@pytest.mark.parametrize("split", SPLITS)
def test_interleaving(split: Split) -> None:
    writer = ChunkWriter()
    first, second = video(0, pattern(400)), Message(AUDIO, 1, 3, pattern(200))
    chunks = writer.write(6, first), writer.write(4, second)
    data = chunks[0][0] + chunks[1][0] + chunks[0][1] + chunks[1][1] + chunks[0][2] + chunks[0][3]
    assert read_messages(data, split) == [second, first]


@pytest.mark.parametrize("split", SPLITS)
def test_set_chunk_size_applies_from_the_next_chunk(split: Split) -> None:
    writer = ChunkWriter()
    big = video(0, pattern(5000))
    data = writer.message(2, control(MessageType.SET_CHUNK_SIZE, 4096))
    writer.chunk_size = 4096
    data += writer.message(6, big)
    assert read_messages(data, split)[1:] == [big]


def test_set_chunk_size_in_the_middle_of_a_message() -> None:
    writer = ChunkWriter()
    message = video(0, pattern(1000))
    first = writer.write(6, message)[0]
    data = first + writer.message(2, control(MessageType.SET_CHUNK_SIZE, 65536)) + b"\xc6" + message.payload[128:]
    assert read_messages(data)[1:] == [message]


@pytest.mark.parametrize("split", SPLITS)
def test_abort_discards_a_partial_message(split: Split) -> None:
    writer = ChunkWriter()
    partial = writer.write(6, video(0, pattern(400)))[0]
    abort = writer.message(2, control(MessageType.ABORT, 6))
    after = video(9, pattern(140))
    assert read_messages(partial + abort + writer.message(6, after, 0), split)[1:] == [after]


def test_abort_frees_the_partial_message() -> None:
    writer = ChunkWriter()
    limits = Limits(max_partial_size=500)
    partial = writer.write(6, video(0, pattern(400)))[0]
    abort = writer.message(2, control(MessageType.ABORT, 6))
    after = writer.message(6, video(9, pattern(400)), 0)
    assert len(read_messages((partial + abort) * 5 + after, limits=limits)) == 6


def test_abort_of_an_unknown_chunk_stream_is_ignored() -> None:
    data = ChunkWriter().message(2, control(MessageType.ABORT, 77))
    assert len(read_messages(data)) == 1


@pytest.mark.parametrize("split", [pieces_of(65536), pieces_of(40000, 3), pieces_of(200_000)])
@pytest.mark.parametrize("chunk_size", [128, 4096, 65536, 70_000, 0xFFFFFF])
def test_messages_larger_than_the_buffer(chunk_size: int, split: Split) -> None:
    writer = ChunkWriter(chunk_size)
    messages = [video(0, pattern(300_000)), Message(AUDIO, 1, 20, pattern(70_000)), video(33, pattern(65_537))]
    set_size = ChunkWriter().message(2, control(MessageType.SET_CHUNK_SIZE, chunk_size))
    data = set_size + b"".join(writer.message(6 if m.type_id == VIDEO else 4, m) for m in messages)
    assert read_messages(data, split)[1:] == messages


def test_message_over_the_limit_is_rejected() -> None:
    limits = Limits(max_message_size=1000)
    assert read_messages(ChunkWriter().message(6, video(0, bytes(1000))), limits=limits)
    with pytest.raises(MessageTooLarge):
        read_messages(ChunkWriter().message(6, video(0, bytes(1001)))[:12], limits=limits)


def test_commands_have_a_smaller_limit() -> None:
    with pytest.raises(MessageTooLarge):
        read_messages(ChunkWriter().message(3, Message(MessageType.COMMAND_AMF0, 0, 0, bytes(65537)))[:12])


def test_partial_messages_share_a_limit() -> None:
    writer = ChunkWriter()
    limits = Limits(max_partial_size=2500)
    partial = [writer.write(number, video(0, bytes(1000)))[0] for number in (6, 7, 8)]
    assert read_messages(b"".join(partial[:2]), limits=limits) == []
    with pytest.raises(TooManyPartialMessages):
        read_messages(b"".join(partial), limits=limits)


def test_number_of_chunk_streams_has_a_limit() -> None:
    writer = ChunkWriter()
    limits = Limits(max_chunk_streams=3)
    data = [writer.message(number, video(0, b"x")) for number in (3, 4, 5, 6)]
    assert len(read_messages(b"".join(data[:3]), limits=limits)) == 3
    with pytest.raises(TooManyChunkStreams):
        read_messages(b"".join(data), limits=limits)


@pytest.mark.parametrize("size", [0, 0x80000000, 0xFFFFFFFF])
def test_chunk_size_out_of_range_is_rejected(size: int) -> None:
    with pytest.raises(MalformedChunk):
        read_messages(ChunkWriter().message(2, control(MessageType.SET_CHUNK_SIZE, size)))


@pytest.mark.parametrize("first", ["c6", "86000000"])
def test_first_chunk_without_a_header_to_repeat_is_rejected(first: str) -> None:
    with pytest.raises(MalformedChunk):
        read_messages(bytes.fromhex(first))


def test_first_chunk_of_type_1_is_accepted() -> None:
    data = bytes.fromhex("42 000000 000004 05") + bytes(4)
    assert read_messages(data) == [Message(5, 0, 0, bytes(4))]


def test_new_message_inside_another_is_rejected() -> None:
    writer = ChunkWriter()
    with pytest.raises(MalformedChunk):
        read_messages(writer.write(6, video(0, bytes(400)))[0] + writer.message(6, video(1, b"x"), 0))


@pytest.mark.parametrize("type_id", [0, 7, 10, 21, 23, 255])
def test_unknown_message_types_are_rejected(type_id: int) -> None:
    with pytest.raises(MalformedChunk):
        read_messages(encode_message(6, Message(type_id, 0, 0, b"x")))


@st.composite
def sessions(draw: st.DrawFn) -> tuple[list[Message], bytes]:
    """Messages on several chunk streams with any header format, and their interleaved chunks."""
    writer = ChunkWriter(draw(st.sampled_from([1, 7, 128, 4096])))
    size = Message(MessageType.SET_CHUNK_SIZE, 0, 0, writer.chunk_size.to_bytes(4, "big"))
    queues: dict[int, list[tuple[Message, list[bytes]]]] = {}
    timestamps = st.one_of(st.integers(0, 5000), st.integers(0xFFFFF0, 0x1000010), st.integers(0, 0xFFFFFFFF))
    for _ in range(draw(st.integers(1, 8))):
        chunk_stream = draw(st.sampled_from([3, 63, 64, 319, 320, 65599]))
        payload = pattern(draw(st.sampled_from([0, 1, 20, 127, 128, 129, 600])))
        message = Message(draw(st.sampled_from([8, 9])), draw(st.sampled_from([1, 2])), draw(timestamps), payload)
        fmt = draw(st.sampled_from(writer.formats(chunk_stream, message)))
        queues.setdefault(chunk_stream, []).append((message, writer.write(chunk_stream, message, fmt)))
    data = ChunkWriter().message(2, size)
    messages = [size]
    while queues:
        chunk_stream = draw(st.sampled_from(sorted(queues)))
        message, chunks = queues[chunk_stream][0]
        data += chunks.pop(0)
        if not chunks:
            messages.append(message)
            queues[chunk_stream].pop(0)
            if not queues[chunk_stream]:
                del queues[chunk_stream]
    return messages, data


@settings(max_examples=120)
@given(sessions(), st.lists(st.integers(1, 700), min_size=1, max_size=5))
def test_any_split_gives_the_same_messages(session: tuple[list[Message], bytes], sizes: list[int]) -> None:
    messages, data = session
    assert read_messages(data) == messages
    assert read_messages(data, pieces_of(*sizes)) == messages


@settings(max_examples=150)
@given(st.binary(max_size=400))
def test_noise_raises_only_declared_errors(data: bytes) -> None:
    try:
        read_messages(data)
    except RtmpError as error:
        assert isinstance(error, PeerError | MessageTooLarge | TooManyChunkStreams | TooManyPartialMessages)
