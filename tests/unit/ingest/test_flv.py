"""Parsing FLV tag bodies: media, configuration, malformed bodies and unsupported codecs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.flv import FlvError, parse_audio_tag, parse_video_tag
from ingest.flv.errors import EmptyFrame, ImplausibleOffset, TruncatedTag, UnknownPacket, UnsupportedCodec
from ingest.flv.tags import NO_MEDIA, AudioFrame, SequenceHeader, VideoFrame
from media.units import Codec
from tests.unit.ingest.samples import (
    AAC_RECORD,
    AVC_RECORD,
    MP3_FRAME,
    aac,
    aac_header,
    avc,
    avc_header,
)


def ex_video(packet: int, fourcc: bytes, data: bytes = b"", frame_type: int = 1) -> bytes:
    return bytes((0x80 | frame_type << 4 | packet,)) + fourcc + data


def ex_audio(packet: int, fourcc: bytes, data: bytes = b"") -> bytes:
    return bytes((0x90 | packet,)) + fourcc + data


@pytest.mark.parametrize("composition_ms", [0, 66, -33, 10_000, -2_000])
def test_h264_frames(composition_ms: int) -> None:
    assert parse_video_tag(avc(b"data", key=True, composition_ms=composition_ms)) == VideoFrame(
        Codec.H264, True, composition_ms, b"data"
    )
    assert parse_video_tag(avc(b"data", composition_ms=composition_ms)) == VideoFrame(
        Codec.H264, False, composition_ms, b"data"
    )


def test_h264_sequence_header_and_end() -> None:
    assert parse_video_tag(avc_header()) == SequenceHeader(Codec.H264, AVC_RECORD)
    assert parse_video_tag(avc(b"", key=True, packet=2)) == NO_MEDIA


def test_seek_command_frame_is_not_media() -> None:
    assert parse_video_tag(b"\x57\x00") == NO_MEDIA


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", EmptyFrame),
        (b"\x17", TruncatedTag),
        (b"\x17\x01\x00\x00", TruncatedTag),
        (avc(b""), EmptyFrame),
        (avc(b"x", packet=3), UnknownPacket),
        (avc(b"x", composition_ms=10_001), ImplausibleOffset),
        (avc(b"x", composition_ms=-2_001), ImplausibleOffset),
        (ex_video(1, b"avc"), TruncatedTag),
        (ex_video(1, b"avc1", b"\0\0"), TruncatedTag),
        (ex_video(1, b"avc1", b"\0\0\0"), EmptyFrame),
        (ex_video(5, b"avc1"), UnknownPacket),
        (ex_video(7, b"avc1"), UnknownPacket),
    ],
)
def test_malformed_video_is_rejected(body: bytes, error: type[FlvError]) -> None:
    with pytest.raises(error):
        parse_video_tag(body)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (ex_video(0, b"hvc1"), "HEVC"),
        (ex_video(3, b"hvc1", b"x"), "HEVC"),
        (ex_video(0, b"av01"), "AV1"),
        (ex_video(0, b"vp09"), "VP9"),
        (ex_video(0, b"vvc1"), "VVC"),
        (ex_video(0, b"zz\x00\xff"), r"zz\?\?"),
        (b"\x1c\x00\x00\x00\x00", "HEVC"),
        (b"\x12\x00", "H.263"),
        (b"\x10\x00", "number 0"),
    ],
)
def test_unsupported_video_is_refused_by_name(body: bytes, name: str) -> None:
    with pytest.raises(UnsupportedCodec, match=name):
        parse_video_tag(body)


def test_refusal_names_the_codec_to_choose() -> None:
    with pytest.raises(UnsupportedCodec, match=r"HEVC video is not supported yet: choose H\.264 .*in OBS: "):
        parse_video_tag(ex_video(0, b"hvc1"))


def test_h264_with_its_fourcc() -> None:
    assert parse_video_tag(ex_video(0, b"avc1", AVC_RECORD)) == SequenceHeader(Codec.H264, AVC_RECORD)
    assert parse_video_tag(ex_video(1, b"avc1", b"\xff\xff\xdfdata")) == VideoFrame(Codec.H264, True, -33, b"data")
    assert parse_video_tag(ex_video(3, b"avc1", b"data", frame_type=2)) == VideoFrame(Codec.H264, False, 0, b"data")
    assert parse_video_tag(ex_video(2, b"avc1")) == NO_MEDIA
    assert parse_video_tag(ex_video(4, b"avc1", b"colour")) == NO_MEDIA
    assert parse_video_tag(ex_video(0, b"", b"\x00", frame_type=5)) == NO_MEDIA


def test_aac() -> None:
    assert parse_audio_tag(aac(b"data")) == AudioFrame(Codec.AAC, b"data")
    assert parse_audio_tag(aac_header()) == SequenceHeader(Codec.AAC, AAC_RECORD)


@pytest.mark.parametrize("first", [0x2F, 0x22, 0xEF])
def test_mp3(first: int) -> None:
    assert parse_audio_tag(bytes((first,)) + MP3_FRAME) == AudioFrame(Codec.MP3, MP3_FRAME)


def test_audio_with_its_fourcc() -> None:
    assert parse_audio_tag(ex_audio(0, b"mp4a", AAC_RECORD)) == SequenceHeader(Codec.AAC, AAC_RECORD)
    assert parse_audio_tag(ex_audio(1, b"mp4a", b"data")) == AudioFrame(Codec.AAC, b"data")
    assert parse_audio_tag(ex_audio(1, b".mp3", MP3_FRAME)) == AudioFrame(Codec.MP3, MP3_FRAME)
    assert parse_audio_tag(ex_audio(0, b".mp3")) == NO_MEDIA
    assert parse_audio_tag(ex_audio(2, b"mp4a")) == NO_MEDIA
    assert parse_audio_tag(ex_audio(4, b"mp4a", b"layout")) == NO_MEDIA


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", EmptyFrame),
        (b"\xaf", TruncatedTag),
        (aac(b""), EmptyFrame),
        (aac(b"x", packet=2), UnknownPacket),
        (b"\x2f", EmptyFrame),
        (ex_audio(1, b"mp4"), TruncatedTag),
        (ex_audio(1, b"mp4a"), EmptyFrame),
        (ex_audio(7, b"mp4a"), UnknownPacket),
    ],
)
def test_malformed_audio_is_rejected(body: bytes, error: type[FlvError]) -> None:
    with pytest.raises(error):
        parse_audio_tag(body)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"\xb2x", "Speex"),
        (b"\x72x", "G.711"),
        (b"\x02x", "PCM"),
        (b"\xc2x", "Number 12"),
        (ex_audio(0, b"Opus"), "Opus"),
        (ex_audio(0, b"fLaC"), "FLAC"),
        (ex_audio(0, b"\x01abc"), r"\?abc"),
    ],
)
def test_unsupported_audio_is_refused_by_name(body: bytes, name: str) -> None:
    with pytest.raises(UnsupportedCodec, match=name):
        parse_audio_tag(body)


@settings(max_examples=150)
@given(st.binary(max_size=40))
def test_noise_raises_only_declared_errors(body: bytes) -> None:
    for parse in (parse_video_tag, parse_audio_tag):
        try:
            parse(body)
        except FlvError as error:
            assert error.code != FlvError.code
