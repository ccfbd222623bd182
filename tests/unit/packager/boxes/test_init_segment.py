import struct
from dataclasses import replace
from fractions import Fraction

import pytest

from media.codecs.aac import parse_audio_specific_config
from media.configs import AudioConfig, Colour, TrackConfig, VideoConfig
from media.units import Codec
from packager.boxes import esds
from packager.boxes.walk import boxes, children, find
from packager.cmaf.bitrate import TrackBitrate
from packager.cmaf.init_segment import init_segment
from packager.errors import MalformedBox, UnsupportedTrack, Unwritable

VIDEO = VideoConfig(
    codec=Codec.H264,
    record=b"\x01\x64\x00\x1f\xff\xe1",
    codec_string="avc1.64001f",
    width=720,
    height=576,
    sample_aspect_ratio=Fraction(64, 45),
    colour=Colour(9, 16, 10, True),
)
AUDIO = parse_audio_specific_config(b"\x11\x90")
STSD = "moov/trak/mdia/minf/stbl/stsd"


def u32(body: memoryview, offset: int) -> int:
    return int.from_bytes(body[offset : offset + 4], "big")


def test_brands() -> None:
    ftyp = next(boxes(init_segment(VIDEO)))
    assert (ftyp.kind, bytes(ftyp.body)) == ("ftyp", b"cmf2\0\0\0\0cmf2cmfciso6")


@pytest.mark.parametrize(("config", "timescale"), [(VIDEO, 90_000), (AUDIO, 48_000)])
def test_timescale_is_that_of_the_track(config: TrackConfig, timescale: int) -> None:
    data = init_segment(config)
    assert u32(find(data, "moov/mvhd").body, 12) == timescale
    assert u32(find(data, "moov/trak/mdia/mdhd").body, 12) == timescale


def test_track_id_is_in_all_boxes() -> None:
    data = init_segment(AUDIO, track_id=5)
    assert u32(find(data, "moov/trak/tkhd").body, 12) == 5
    assert u32(find(data, "moov/mvex/trex").body, 4) == 5
    assert u32(find(data, "moov/mvhd").body, 96) == 6


def test_display_size_has_square_samples_and_coded_size_does_not() -> None:
    data = init_segment(VIDEO)
    shown = find(data, "moov/trak/tkhd").body
    assert (u32(shown, 76), u32(shown, 80)) == (1024 << 16, 576 << 16)
    assert struct.unpack_from(">HH", find(data, f"{STSD}/avc1").body, 24) == (720, 576)
    assert struct.unpack(">II", find(data, f"{STSD}/avc1/pasp").body) == (64, 45)


def test_video_sample_entry_contents() -> None:
    data = init_segment(VIDEO, bitrate=TrackBitrate(max_bps=5_000_000, avg_bps=3_000_000))
    entry = find(data, f"{STSD}/avc1")
    assert [child.kind for child in children(entry)] == ["avcC", "colr", "pasp", "btrt"]
    assert bytes(find(data, f"{STSD}/avc1/avcC").body) == VIDEO.record
    assert bytes(find(data, f"{STSD}/avc1/colr").body) == b"nclx\0\x09\0\x10\0\x0a\x80"
    assert struct.unpack(">III", find(data, f"{STSD}/avc1/btrt").body) == (0, 5_000_000, 3_000_000)
    plain = init_segment(replace(VIDEO, colour=None))
    assert [child.kind for child in children(find(plain, f"{STSD}/avc1"))] == ["avcC", "pasp"]


def test_audio_sample_entry_contents() -> None:
    data = init_segment(AUDIO, bitrate=TrackBitrate(max_bps=200_000, avg_bps=160_000))
    entry = find(data, f"{STSD}/mp4a")
    assert [child.kind for child in children(entry)] == ["esds", "btrt"]
    assert struct.unpack_from(">HH", entry.body, 16) == (2, 16)
    assert u32(entry.body, 24) == 48_000 << 16
    descriptors = bytes(find(data, f"{STSD}/mp4a/esds").body[4:])
    assert descriptors == bytes.fromhex("0319 000000 0411 4015 000000 00030d40 00027100 0502 1190 0601 02")


def test_sample_rate_above_16_bits_is_only_in_the_media_header() -> None:
    data = init_segment(AudioConfig(Codec.AAC, b"\x10\x10", "mp4a.40.2", 96_000, 2, 1024))
    assert u32(find(data, f"{STSD}/mp4a").body, 24) == 0
    assert u32(find(data, "moov/trak/mdia/mdhd").body, 12) == 96_000


@pytest.mark.parametrize(("size", "encoded"), [(0, "05 00"), (127, "05 7f"), (128, "05 81 00"), (512, "05 84 00")])
def test_descriptor_sizes_are_expandable(size: int, encoded: str) -> None:
    assert esds.descriptor(5, bytes(size)) == bytes.fromhex(encoded) + bytes(size)


def test_init_segment_has_no_edit_list() -> None:
    with pytest.raises(MalformedBox, match="no moov/trak/edts"):
        find(init_segment(VIDEO), "moov/trak/edts")


def test_mp3_is_rejected() -> None:
    with pytest.raises(UnsupportedTrack, match="AAC"):
        init_segment(AudioConfig(Codec.MP3, b"", "mp4a.40.34", 48_000, 2, 1152))


@pytest.mark.parametrize(
    "config", [replace(VIDEO, width=1 << 16), replace(AUDIO, channels=-1), replace(AUDIO, sample_rate=1 << 32)]
)
def test_values_outside_their_fields_are_rejected(config: TrackConfig) -> None:
    with pytest.raises(Unwritable):
        init_segment(config)
