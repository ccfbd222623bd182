import itertools
import json
import struct
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from media.configs import AudioConfig, Colour, VideoConfig
from media.units import AccessUnit, Codec, Kind
from transcoder.errors import ProtocolViolation
from transcoder.ladder import Rendition
from transcoder.messages import (
    AudioRung,
    CutAt,
    Decoded,
    Encoded,
    Failed,
    Finish,
    Finished,
    Job,
    Message,
    PictureAnswer,
    PictureRequest,
    Progress,
    Select,
    Start,
    Stopped,
    TrackReady,
    Unit,
)
from transcoder.options import Encoder, LatencyMode, Preset, Profile, TranscodeOptions
from transcoder.protocol import HEADER, KINDS, MAX_BODY, MessageReader, encode

VIDEO = VideoConfig(
    Codec.H264,
    b"\x01\x64\x00\x1f",
    "avc1.64001f",
    720,
    576,
    sample_aspect_ratio=Fraction(64, 45),
    frame_rate=Fraction(30000, 1001),
    colour=Colour(1, 2, 3, True),
    interlaced=True,
)
AUDIO = AudioConfig(Codec.AAC, b"\x11\x90", "mp4a.40.2", 48_000, 2, 1024)
JOB = Job(
    video=VIDEO,
    rungs=(Rendition("v360p", 640, 360, 2, 800_000, 960_000, 1_200_000),),
    audio=AUDIO,
    audio_outputs=(AudioRung("a64k", 64_000), AudioRung("a32k", 32_000, 24_000, 1)),
    options=TranscodeOptions(
        encoder=Encoder.VAAPI,
        preset=Preset.FAST,
        profile=Profile.MAIN,
        threads=3,
        latency=LatencyMode.NORMAL,
        low_audio_bps=64_000,
        device="/dev/dri/renderD128",
    ),
)
UNIT = AccessUnit(Kind.VIDEO, -3003, 6006, True, b"\x00\x00\x00\x01\x65")
MESSAGES: tuple[Message, ...] = (
    Start(JOB),
    Start(Job(None)),
    Unit(UNIT),
    Unit(AccessUnit(Kind.AUDIO, 2**40, -1, False, b"")),
    Unit(UNIT._replace(track=255)),
    CutAt(-1),
    Decoded(-1, 2**62),
    Finish(),
    TrackReady("v360p", VIDEO),
    TrackReady("v360p", replace(VIDEO, frame_rate=None, colour=None)),
    TrackReady("a64k", AUDIO),
    Encoded("v360p", UNIT),
    Progress(1, 2, 3, 4, 5, 6, 7),
    Select(frozenset({"v360p", "v480p"})),
    Select(frozenset()),
    Stopped("v480p"),
    Failed("encoder-failed", "the encoder failed: käputt"),
    Finished(),
    PictureRequest(7, VIDEO, UNIT),
    PictureAnswer(7, b"\xff\xd8"),
)


def read(*chunks: bytes) -> list[Message]:
    reader = MessageReader()
    messages: list[Message] = []
    for chunk in chunks:
        reader.receive_data(chunk)
        messages += reader.messages()
    return messages


def test_every_kind_of_message_is_covered() -> None:
    assert {type(message) for message in MESSAGES} == set(KINDS)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_round_trip(message: Message) -> None:
    assert read(encode(message)) == [message]


def test_messages_are_parsed_byte_by_byte() -> None:
    stream = b"".join(encode(message) for message in MESSAGES)
    assert read(*(stream[i : i + 1] for i in range(len(stream)))) == list(MESSAGES)


@given(st.lists(st.integers(0, 4000), max_size=6))
@settings(max_examples=30)
def test_messages_are_parsed_however_they_are_split(cuts: list[int]) -> None:
    stream = b"".join(encode(message) for message in MESSAGES)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert read(*(stream[a:b] for a, b in itertools.pairwise(edges))) == list(MESSAGES)


@given(st.sampled_from(sorted(KINDS.values())), st.binary(max_size=80))
@example(KINDS[TrackReady], b"\x01a[]")
@example(KINDS[PictureRequest], bytes(8) + b"\xff\xff\xff\xff{}")
@settings(max_examples=300)
def test_any_body_gives_a_message_or_a_violation(kind: int, body: bytes) -> None:
    try:
        (message,) = read(HEADER.pack(len(body), kind) + body)
    except ProtocolViolation:
        return
    assert KINDS[type(message)] == kind


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=8), SCALARS, max_size=3)


@given(st.data())
@settings(max_examples=200)
def test_any_description_gives_a_job_or_a_violation(data: st.DataObject) -> None:
    fields = json.loads(encode(Start(JOB))[HEADER.size :])
    place = data.draw(st.sampled_from([fields, fields["video"], fields["rungs"][0], fields["options"]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)
    body = json.dumps(fields).encode()
    try:
        (message,) = read(HEADER.pack(len(body), KINDS[Start]) + body)
    except ProtocolViolation:
        return
    assert isinstance(message, Start)


def test_deep_nesting_is_a_violation() -> None:
    body = b"[" * 100_000
    with pytest.raises(ProtocolViolation):
        read(HEADER.pack(len(body), KINDS[Start]) + body)


def test_lengths_are_bounded_before_bytes_are_buffered() -> None:
    with pytest.raises(ProtocolViolation):
        read(struct.pack(">IB", MAX_BODY + 1, KINDS[Unit]))
    with pytest.raises(ProtocolViolation):
        encode(PictureAnswer(1, bytes(MAX_BODY)))
    body = b" " * (2**17 + 1)
    with pytest.raises(ProtocolViolation):
        read(HEADER.pack(len(body), KINDS[Start]) + body)


def test_timestamps_out_of_range_are_a_violation() -> None:
    with pytest.raises(ProtocolViolation):
        encode(Unit(UNIT._replace(cts=2**31)))


@pytest.mark.parametrize("track", [-1, 256])
def test_track_ids_out_of_range_are_a_violation(track: int) -> None:
    with pytest.raises(ProtocolViolation, match=f"track {track}"):
        encode(Unit(UNIT._replace(track=track)))


@pytest.mark.parametrize("kind", [Kind.DATA, Kind.TEXT])
def test_kinds_that_are_not_transcoded_are_a_violation(kind: Kind) -> None:
    with pytest.raises(ProtocolViolation, match=kind):
        encode(Unit(UNIT._replace(kind=kind)))


@pytest.mark.parametrize("number", [2, 255])
def test_an_unknown_kind_of_unit_is_a_violation(number: int) -> None:
    message = bytearray(encode(Unit(UNIT)))
    message[HEADER.size + 1] = number
    with pytest.raises(ProtocolViolation, match=f"unknown kind {number}"):
        read(bytes(message))


@pytest.mark.parametrize(
    "change",
    [
        {"codec": "theora"},
        # Audio's codec in a description of video.
        {"codec": "aac"},
        {"codec": None},
        {"codec": "h264" * 100},
    ],
)
def test_an_unknown_codec_is_a_violation(change: dict[str, object]) -> None:
    fields = json.loads(encode(TrackReady("v", VIDEO))[HEADER.size + 2 :]) | change
    body = b"\x01v" + json.dumps(fields).encode()
    with pytest.raises(ProtocolViolation):
        read(HEADER.pack(len(body), KINDS[TrackReady]) + body)


def test_unknown_type_is_a_violation() -> None:
    with pytest.raises(ProtocolViolation):
        read(HEADER.pack(0, 99))


def test_messages_before_a_violation_are_returned() -> None:
    reader = MessageReader()
    reader.receive_data(encode(CutAt(5)) + HEADER.pack(0, 99))
    messages = reader.messages()
    assert next(messages) == CutAt(5)
    with pytest.raises(ProtocolViolation):
        next(messages)
