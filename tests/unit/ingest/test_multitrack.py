"""Multitrack messages of Enhanced RTMP: the first track is used, the others are ignored and counted."""

import pytest

from ingest.feed import MediaFeed
from ingest.flv import parse_audio_tag, parse_video_tag
from ingest.flv.errors import IgnoredTrack, TruncatedTag, UnknownPacket
from ingest.flv.tags import AudioFrame, SequenceHeader, VideoFrame
from media.units import Codec
from tests.unit.ingest.samples import (
    AAC_FRAME,
    AAC_RECORD,
    AVC_RECORD,
    Recorder,
    aac_header,
    avc_header,
    inter_frame,
    key_frame,
)

ONE, MANY, CODECS = 0, 1, 2


def video(form: int, packet: int, *tracks: tuple[bytes, int, bytes], frame_type: int = 1) -> bytes:
    return multitrack(0x80 | frame_type << 4 | 6, form, packet, tracks)


def audio(form: int, packet: int, *tracks: tuple[bytes, int, bytes]) -> bytes:
    return multitrack(0x95, form, packet, tracks)


def multitrack(first: int, form: int, packet: int, tracks: tuple[tuple[bytes, int, bytes], ...]) -> bytes:
    body = bytes((first, form << 4 | packet))
    if form != CODECS:
        body += tracks[0][0]
    for fourcc, track, data in tracks:
        body += fourcc if form == CODECS else b""
        body += bytes((track,))
        body += len(data).to_bytes(3, "big") if form != ONE else b""
        body += data
    return body


def test_the_first_track_alone() -> None:
    assert parse_video_tag(video(ONE, 0, (b"avc1", 0, AVC_RECORD))) == SequenceHeader(Codec.H264, AVC_RECORD)
    assert parse_video_tag(video(ONE, 3, (b"avc1", 0, b"data"))) == VideoFrame(Codec.H264, True, 0, b"data")
    assert parse_audio_tag(audio(ONE, 0, (b"mp4a", 0, AAC_RECORD))) == SequenceHeader(Codec.AAC, AAC_RECORD)
    assert parse_audio_tag(audio(ONE, 1, (b"mp4a", 0, b"data"))) == AudioFrame(Codec.AAC, b"data")


@pytest.mark.parametrize("form", [MANY, CODECS])
def test_the_first_track_among_others(form: int) -> None:
    tracks = ((b"avc1", 1, b"other"), (b"avc1", 0, b"first"), (b"avc1", 2, b"third"))
    assert parse_video_tag(video(form, 3, *tracks)) == VideoFrame(Codec.H264, True, 0, b"first")
    sounds = ((b"mp4a", 2, b"other"), (b"mp4a", 0, b"first"))
    assert parse_audio_tag(audio(form, 1, *sounds)) == AudioFrame(Codec.AAC, b"first")


def test_tracks_may_have_codecs_of_their_own() -> None:
    """A codec that is not supported does not matter on another track."""
    assert parse_video_tag(video(CODECS, 3, (b"hvc1", 1, b"other"), (b"avc1", 0, b"first"))) == VideoFrame(
        Codec.H264, True, 0, b"first"
    )


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (video(ONE, 3, (b"avc1", 1, b"data")), IgnoredTrack),
        (video(ONE, 3, (b"hvc1", 1, b"data")), IgnoredTrack),
        (video(MANY, 3, (b"avc1", 1, b"data"), (b"avc1", 2, b"data")), IgnoredTrack),
        (b"\x96", TruncatedTag),
        (b"\x96\x03avc1", TruncatedTag),
        (b"\x96\x13avc1\x00\x00\x00\x09data", TruncatedTag),
        (b"\x96\x06avc1\x00data", UnknownPacket),
        (b"\x96\x33avc1\x00data", UnknownPacket),
    ],
)
def test_other_messages(body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_video_tag(body)


def test_another_track_does_not_disturb_the_first() -> None:
    """Not even if it comes first, with a codec that is not supported."""
    recorder = Recorder()
    feed = MediaFeed(recorder)
    for _ in range(40):
        feed.video.take(0, video(ONE, 0, (b"hvc1", 1, b"record")))
        feed.audio.take(0, audio(ONE, 1, (b"Opus", 1, b"data")))
    feed.video.take(0, avc_header())
    feed.audio.take(0, aac_header())
    feed.video.take(0, key_frame())
    feed.audio.take(0, AAC_FRAME)
    feed.video.take(33, inter_frame())
    feed.close()
    names = [call[0] for call in recorder.calls]
    assert names.count("dropped") == 80
    assert names.count("unit") == 3
