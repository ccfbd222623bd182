"""Conversion of FLV messages to calls of a publication."""

from itertools import pairwise

import pytest

from ingest.feed import MediaFeed
from ingest.flv import UnsupportedCodec
from ingest.track_feed import PERSISTENT
from media.units import AccessUnit, Kind
from tests.unit.ingest.samples import (
    AAC_FRAME,
    AVC_RECORD,
    IDR,
    MP3_FRAME,
    NON_IDR,
    OTHER_AAC_RECORD,
    OTHER_AVC_RECORD,
    SEI_RECOVERY_POINT,
    Recorder,
    aac,
    aac_header,
    avc,
    avc_header,
    inter_frame,
    key_frame,
    nal_units,
)

HEVC = b"\x90hvc1"
OPUS = b"\x90Opus"
MP3 = b"\x2f" + MP3_FRAME


class Broadcast:
    def __init__(self) -> None:
        self.recorder = Recorder()
        self._feed = MediaFeed(self.recorder)

    def video(self, timestamp: int, *bodies: bytes) -> None:
        for body in bodies:
            self._feed.video.take(timestamp, body)

    def audio(self, timestamp: int, *bodies: bytes) -> None:
        for body in bodies:
            self._feed.audio.take(timestamp, body)

    def close(self) -> None:
        self._feed.close()


@pytest.fixture
def broadcast() -> Broadcast:
    return Broadcast()


@pytest.fixture
def running(broadcast: Broadcast) -> Broadcast:
    """A broadcast in which both tracks have started, and no picture is held."""
    broadcast.video(0, avc_header(), key_frame())
    broadcast.audio(0, aac_header(), AAC_FRAME)
    broadcast.video(1, inter_frame())
    broadcast.recorder.calls.clear()
    return broadcast


def test_first_units_follow_their_configurations(broadcast: Broadcast) -> None:
    broadcast.video(1000, avc_header(), key_frame(composition_ms=66))
    broadcast.audio(1000, aac_header(), AAC_FRAME)
    broadcast.video(1033, inter_frame(33))
    broadcast.audio(1021, AAC_FRAME)
    assert broadcast.recorder.calls == [
        ("video-config", (320, 180)),
        ("audio-config", ("aac", 48000)),
        ("unit", AccessUnit(Kind.AUDIO, 0, 0, True, AAC_FRAME[2:])),
        # More of the first picture could arrive until the second starts.
        ("unit", AccessUnit(Kind.VIDEO, 0, 5940, True, nal_units(IDR))),
        ("unit", AccessUnit(Kind.VIDEO, 2970, 2970, False, nal_units(NON_IDR))),
        ("unit", AccessUnit(Kind.AUDIO, 1024, 0, True, AAC_FRAME[2:])),
    ]


def presented_ms(broadcast: Broadcast) -> list[tuple[float, float]]:
    """Decoding and presentation time of each video unit, in milliseconds."""
    units = [unit for unit in broadcast.recorder.units if unit.kind is Kind.VIDEO]
    return [(unit.dts / 90, unit.pts / 90) for unit in units]


def test_no_frame_is_presented_before_it_is_decoded(broadcast: Broadcast) -> None:
    """Encoders that use edit lists send decoding times that are late, and negative composition times."""
    broadcast.audio(1000, aac_header(), AAC_FRAME)
    broadcast.video(1200, avc_header(), key_frame(composition_ms=-200))
    for number in range(1, 4):
        broadcast.video(1200 + 40 * number, inter_frame(-200))
    broadcast.close()
    assert presented_ms(broadcast) == [(40 * number, 40 * number) for number in range(4)]


def test_first_negative_composition_time_within_a_stream_keeps_all_presentation_times(broadcast: Broadcast) -> None:
    broadcast.video(1000, avc_header(), key_frame(composition_ms=80))
    for number, composition_ms in enumerate((80, 80, -40, 80, 80), 1):
        broadcast.video(1000 + 40 * number, inter_frame(composition_ms))
    broadcast.close()
    times = presented_ms(broadcast)
    assert [pts for _, pts in times] == pytest.approx([80, 120, 160, 80, 240, 280], abs=0.1)
    assert all(before < after for (before, _), (after, _) in pairwise(times))


def test_video_that_begins_slightly_before_the_timeline_keeps_its_presentation_times(broadcast: Broadcast) -> None:
    broadcast.audio(1060, aac_header(), AAC_FRAME)
    broadcast.video(1000, avc_header(), key_frame(composition_ms=80))
    for number, composition_ms in enumerate((120, 40, 40), 1):
        broadcast.video(1000 + 40 * number, inter_frame(composition_ms))
    broadcast.close()
    assert [pts for _, pts in presented_ms(broadcast)] == [20, 100, 60, 100]


def test_repeated_headers_are_ignored(running: Broadcast) -> None:
    running.video(33, avc_header(), avc_header())
    running.audio(33, aac_header(), aac_header())
    assert running.recorder.calls == []


def test_header_with_another_nal_length_size_is_not_a_change(running: Broadcast) -> None:
    """NAL length sizes are normalized, so a record with another size is the same configuration."""
    running.video(33, avc_header(AVC_RECORD[:4] + b"\xfd" + AVC_RECORD[5:]))
    running.video(33, avc(nal_units(IDR, length_size=2), key=True))
    assert running.recorder.names == ["unit"]
    assert running.recorder.units[0].payload == nal_units(IDR)


def test_changed_headers_are_new_configurations(running: Broadcast) -> None:
    running.video(33, avc_header(OTHER_AVC_RECORD), key_frame())
    running.audio(33, aac_header(OTHER_AAC_RECORD), AAC_FRAME)
    assert running.recorder.all("video-config") == [(640, 360)]
    assert running.recorder.all("audio-config") == [("aac", 44100)]


@pytest.mark.parametrize("length_size", [1, 2])
def test_short_nal_lengths_become_four_bytes(broadcast: Broadcast, length_size: int) -> None:
    record = AVC_RECORD[:4] + bytes((0xFC | length_size - 1,)) + AVC_RECORD[5:]
    broadcast.video(0, avc_header(record), avc(nal_units(b"\x09\xf0", IDR, length_size=length_size), key=True))
    broadcast.close()
    (unit,) = broadcast.recorder.units
    assert unit.payload == nal_units(b"\x09\xf0", IDR)
    assert unit.key


def test_an_idr_or_a_recovery_point_is_a_keyframe_whatever_the_tag_claims(running: Broadcast) -> None:
    running.video(33, avc(nal_units(NON_IDR), key=True))
    running.video(66, avc(nal_units(SEI_RECOVERY_POINT, NON_IDR), key=True))
    running.video(100, avc(nal_units(IDR)))
    assert [unit.key for unit in running.recorder.units] == [False, True, True]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty-frame"),
        (avc(b""), "empty-frame"),
        (b"\x27\x01", "truncated-tag"),
        (avc(nal_units(NON_IDR)[:-1]), "malformed-frame"),
        (avc(b"\x00\x00"), "malformed-frame"),
        (avc(bytes(8)), "malformed-frame"),
        (avc(b"\xff\xff\xff\xff" + NON_IDR, key=True), "malformed-frame"),
        (avc(nal_units(NON_IDR), composition_ms=-8_000_000), "implausible-offset"),
        (avc(b"x", packet=9), "unknown-packet"),
        (avc_header(b""), "malformed-config"),
        (avc_header(b"\x01" + bytes(40)), "malformed-config"),
        (avc_header(AVC_RECORD[:-9]), "malformed-config"),
        (HEVC, "unsupported-codec"),
        (b"\x12garbage", "unsupported-codec"),
    ],
)
def test_malformed_video_message_is_dropped_alone(running: Broadcast, body: bytes, reason: str) -> None:
    running.video(33, body)
    running.video(66, inter_frame())
    assert running.recorder.calls == [
        ("dropped", reason),
        ("unit", AccessUnit(Kind.VIDEO, 5940, 0, False, nal_units(NON_IDR))),
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty-frame"),
        (aac(b""), "empty-frame"),
        (b"\xaf", "truncated-tag"),
        (aac(b"x", packet=7), "unknown-packet"),
        (aac_header(b""), "malformed-config"),
        (b"\x2f\x00\x00\x00\x00", "malformed-config"),
        (b"\x2f\x00", "malformed-config"),
        (OPUS, "unsupported-codec"),
    ],
)
def test_malformed_audio_message_is_dropped_alone(running: Broadcast, body: bytes, reason: str) -> None:
    running.audio(21, body)
    running.audio(21, AAC_FRAME)
    assert running.recorder.names == ["dropped", "unit"]
    assert running.recorder.all("dropped") == [reason]


def test_media_before_its_configuration_is_dropped(broadcast: Broadcast) -> None:
    broadcast.video(0, key_frame())
    broadcast.audio(0, AAC_FRAME)
    assert broadcast.recorder.all("dropped") == ["no-config", "no-config"]


def test_empty_nal_units_are_removed(running: Broadcast) -> None:
    running.video(33, avc(nal_units(b"", IDR, b""), key=True))
    assert running.recorder.units[0].payload == nal_units(IDR)


def test_end_of_sequence_is_ignored(running: Broadcast) -> None:
    running.video(33, avc(b"", key=True, packet=2))
    assert running.recorder.calls == []


def test_mp3_needs_no_header(broadcast: Broadcast) -> None:
    for at in (0, 26, 52):
        broadcast.audio(at, MP3)
    assert broadcast.recorder.calls[0] == ("audio-config", ("mp3", 44100))
    assert [unit.dts for unit in broadcast.recorder.units] == [0, 1152, 2304]
    assert broadcast.recorder.units[0].payload == MP3_FRAME


def test_mp3_bitrate_and_padding_do_not_change_the_configuration(broadcast: Broadcast) -> None:
    broadcast.audio(0, MP3)
    broadcast.audio(26, b"\x2f\xff\xfa\xa2\x44" + bytes(500))
    assert broadcast.recorder.names == ["audio-config", "unit", "unit"]


def test_audio_codec_can_change_and_change_back(running: Broadcast) -> None:
    running.audio(21, MP3, AAC_FRAME)
    running.audio(60, aac_header(), AAC_FRAME)
    assert running.recorder.names == ["audio-config", "unit", "dropped", "audio-config", "unit"]
    assert running.recorder.all("audio-config") == [("mp3", 44100), ("aac", 48000)]
    assert running.recorder.all("dropped") == ["no-config"]


@pytest.mark.parametrize(("body", "name"), [(HEVC, "HEVC"), (b"\x12x", "H.263")])
def test_unsupported_video_codec_is_refused(broadcast: Broadcast, body: bytes, name: str) -> None:
    with pytest.raises(UnsupportedCodec, match=name):
        broadcast.video(0, body)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (OPUS, "Opus"),
        (b"\xb2x", "Speex"),
        (aac_header(bytes.fromhex("f8ee4000")), "AAC"),
        (b"\x2f\xff\xfd\x90\x64", "layer 2"),
    ],
)
def test_unsupported_audio_codec_is_refused(broadcast: Broadcast, body: bytes, name: str) -> None:
    with pytest.raises(UnsupportedCodec, match=name):
        broadcast.audio(0, body)


def test_lasting_change_to_an_unsupported_codec_ends_the_broadcast(running: Broadcast) -> None:
    for _ in range(PERSISTENT - 1):
        running.video(33, HEVC)
    running.video(66, inter_frame())
    for _ in range(PERSISTENT - 1):
        running.video(99, HEVC)
    with pytest.raises(UnsupportedCodec, match="HEVC"):
        running.video(99, HEVC)


def test_discontinuity_is_reported_before_its_unit(running: Broadcast) -> None:
    running.video(100_000, key_frame())
    running.audio(100_021, AAC_FRAME)
    running.audio(100_042, AAC_FRAME)
    assert running.recorder.names == ["discontinuity", "unit", "unit", "unit"]


def test_a_message_that_is_sent_twice_is_taken_once(running: Broadcast) -> None:
    running.video(40, inter_frame(), inter_frame())
    running.audio(21, AAC_FRAME, AAC_FRAME)
    assert [name for name, _ in running.recorder.calls] == ["unit", "dropped", "unit", "dropped"]
    assert running.recorder.all("dropped") == ["repeated-message", "repeated-message"]


def test_equal_frames_whose_timestamps_stand_still_are_taken(running: Broadcast) -> None:
    running.audio(21, *[AAC_FRAME] * 60)
    assert running.recorder.all("dropped").count("repeated-message") == 1


def test_overlapping_audio_is_dropped(running: Broadcast) -> None:
    for at in range(21, 500, 21):
        running.audio(at, AAC_FRAME)
    running.recorder.calls.clear()
    running.audio(100, AAC_FRAME)
    assert running.recorder.calls == [("dropped", "timestamp-overlap")]
