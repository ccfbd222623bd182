"""The limits on a publisher's media: pictures, parameter sets, configurations. Each one ends the publication."""

import gc
from collections.abc import Callable
from time import perf_counter

import pytest

from ingest.audio_feed import MAX_AUDIO_BYTES
from ingest.feed import MediaFeed
from ingest.track_feed import MAX_CHANGES
from media.bits import BitWriter
from media.codecs.h264.configuration import largest_picture
from media.codecs.h264.nal_units import MAX_NAL_UNITS
from media.errors import MalformedConfig, MediaLimit, PictureTooLarge, TooManyConfigurations, TooManyNalUnits
from tests.lab.clock import ManualClock
from tests.unit.ingest.samples import (
    AVC_RECORD,
    IDR,
    NON_IDR,
    OTHER_AVC_RECORD,
    Recorder,
    aac,
    aac_header,
    avc,
    avc_header,
    key_frame,
    nal_units,
)

MIB = 1 << 20
PIXELS = 640 * 368
# A picture of 320x192 macroblock-aligned samples is in AVC_RECORD, one of 640x368 in OTHER_AVC_RECORD.
SPS, PPS = (
    bytes.fromhex("6764000dacd941419f9f0110000003001000000303c0f1429960"),
    bytes.fromhex("68ebe3cb22c0"),
)
OTHER_SPS = bytes.fromhex("6764001eacd940a02ff970110000030001000003003c0f162d96")


class Stream:
    def __init__(self, max_pixels: int = PIXELS, header: bytes = AVC_RECORD) -> None:
        self.recorder, self.clock = Recorder(), ManualClock()
        self.feed = MediaFeed(self.recorder, self.clock, max_pixels=max_pixels)
        self.at = 0
        self.video(avc_header(header))

    def video(self, body: bytes) -> None:
        self.feed.video.take(self.at, body)
        self.at += 33


def huge_sps() -> bytes:
    """A baseline SPS of a picture of 16 384x16 384 samples that is cropped to 320x180."""
    bits = BitWriter()
    for value in (0x67, 66, 0, 62):
        bits.write(value, 8)
    for code in (0, 0, 2, 1):  # id, log2_max_frame_num, pic_order_cnt_type, max_num_ref_frames
        bits.ue(code)
    bits.flag(False)
    bits.ue(1023)
    bits.ue(1023)
    bits.flag(True)
    bits.flag(True)
    bits.flag(True)
    for crop in (0, (16384 - 320) // 2, 0, (16384 - 180) // 2):
        bits.ue(crop)
    bits.flag(False)
    bits.flag(True)
    return bits.to_bytes()


HUGE_SPS = huge_sps()
HUGE_RECORD = bytes((1, 66, 0, 62, 0xFF, 0xE1)) + b"".join(
    (len(HUGE_SPS).to_bytes(2, "big"), HUGE_SPS, b"\1", len(PPS).to_bytes(2, "big"), PPS)
)


def ones(count: int) -> bytes:
    return count * (b"\0\0\0\1" + b"\x41")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(ones(1_400_000), id="NAL units of one byte"),
        pytest.param(bytes(7 * MIB), id="empty NAL units"),
        pytest.param((b"\0\0\1" + b"\x09") * 1_700_000, id="start codes"),
        pytest.param(b"\0\0\1" * 2_300_000, id="start codes without NAL units"),
        pytest.param(nal_units(b"\x09" + b"\0\0\1\x09" * 1_700_000), id="start codes after one length"),
    ],
)
def test_a_picture_of_too_many_nal_units_ends_the_publication_in_little_time(data: bytes) -> None:
    stream = Stream()
    gc.collect()
    began = perf_counter()
    with pytest.raises(TooManyNalUnits):
        stream.video(avc(data, key=True))
    assert perf_counter() - began < 0.25


@pytest.mark.parametrize("length_size", [1, 2, 4])
def test_as_many_nal_units_as_a_picture_may_have_are_taken(length_size: int) -> None:
    record = bytearray(AVC_RECORD)
    record[4] = 0xFC | length_size - 1
    stream = Stream(header=bytes(record))
    units = [IDR, *[NON_IDR] * (MAX_NAL_UNITS - 1)]
    stream.video(avc(nal_units(*units, length_size=length_size), key=True))
    stream.feed.close()
    assert len(stream.recorder.units) == 1
    with pytest.raises(TooManyNalUnits, match="slices"):
        stream.video(avc(nal_units(*units, NON_IDR, length_size=length_size), key=True))


def test_messages_of_one_picture_share_the_limit() -> None:
    stream = Stream()
    first = nal_units(*[b"\x06\x05\x01\x00\x80"] * 1500)
    stream.video(avc(first))
    stream.video(avc(first))
    with pytest.raises(TooManyNalUnits):
        stream.video(key_frame())
        stream.feed.close()


@pytest.mark.parametrize(
    "sei", [b"\x06" + bytes(7 * MIB), b"\x06" + b"\xff" * 7 * MIB, b"\x06\x05" + b"\xff" * 7 * MIB]
)
def test_sei_messages_cost_little_time(sei: bytes) -> None:
    stream = Stream()
    began = perf_counter()
    stream.video(key_frame(sei, IDR))
    stream.feed.close()
    assert perf_counter() - began < 0.25
    assert len(stream.recorder.units) == 1


def test_a_record_of_many_parameter_sets_costs_little_time() -> None:
    bits = BitWriter()
    for value in (0x67, 100, 0, 62):
        bits.write(value, 8)
    for code in (0, 3):
        bits.ue(code)
    bits.flag(False)
    bits.ue(0)
    bits.ue(0)
    bits.flag(False)
    bits.flag(True)
    for _ in range(12):
        bits.flag(True)
        for number in range(64):
            bits.se(2**30 * (-1) ** number + 1)
    sps = bits.to_bytes()
    record = bytes((1, 100, 0, 62, 0xFF, 0xE0 | 31)) + 31 * (len(sps).to_bytes(2, "big") + sps) + b"\1\0\1\x68"
    stream = Stream()
    began = perf_counter()
    stream.video(avc_header(record))
    assert perf_counter() - began < 0.25
    assert stream.recorder.all("dropped") == ["malformed-config"]


@pytest.mark.parametrize("record", [HUGE_RECORD, OTHER_AVC_RECORD])
def test_a_larger_picture_is_refused_before_it_is_decoded(record: bytes) -> None:
    stream = Stream(max_pixels=PIXELS - 1)
    with pytest.raises(PictureTooLarge, match="megapixels"):
        stream.video(avc_header(record))
    assert stream.recorder.names == ["video-config"]
    Stream(max_pixels=PIXELS).video(avc_header(OTHER_AVC_RECORD))


@pytest.mark.parametrize(
    "units",
    [(HUGE_SPS, PPS, IDR), (HUGE_SPS,), (NON_IDR[:1] + b"\x1a" + NON_IDR[2:], HUGE_SPS), (IDR, HUGE_SPS)],
    ids=["picture", "alone", "continuation", "behind"],
)
def test_parameter_sets_in_messages_have_the_limit_too(units: tuple[bytes, ...]) -> None:
    stream = Stream()
    stream.video(key_frame())
    with pytest.raises(PictureTooLarge):
        stream.video(avc(nal_units(*units), key=True))
    assert len(stream.recorder.units) <= 1


def test_parameter_sets_without_a_sequence_header_have_the_limit_too() -> None:
    feed = MediaFeed(Recorder())
    with pytest.raises(PictureTooLarge):
        feed.video.take(0, avc(nal_units(HUGE_SPS, PPS, IDR), key=True))


def test_the_largest_picture_is_read_before_cropping() -> None:
    assert largest_picture(nal_units(SPS, PPS)) == 320 * 192
    assert largest_picture(nal_units(SPS, HUGE_SPS, b"\x67", OTHER_SPS)) == 16384 * 16384
    assert largest_picture(nal_units(IDR)) == 0
    with pytest.raises(MalformedConfig):
        largest_picture(nal_units(*(b"\x67" + bytes((number,)) for number in range(9))))


def change_video(stream: Stream, number: int) -> None:
    stream.video(avc_header((AVC_RECORD, OTHER_AVC_RECORD)[number % 2]))


def change_audio(stream: Stream, number: int) -> None:
    stream.feed.audio.take(stream.at, aac_header((bytes.fromhex("1190"), bytes.fromhex("1210"))[number % 2]))


@pytest.mark.parametrize("change", [change_video, change_audio])
def test_configurations_may_change_some_times_a_minute(change: Callable[[Stream, int], None]) -> None:
    stream = Stream()
    for number in range(1, MAX_CHANGES):
        change(stream, number)
    with pytest.raises(TooManyConfigurations, match="in a minute"):
        change(stream, MAX_CHANGES)
    assert issubclass(TooManyConfigurations, MediaLimit)
    stream.clock.now += 60
    for number in range(MAX_CHANGES, 2 * MAX_CHANGES - 1):
        change(stream, number + 1)


def test_an_audio_message_is_limited() -> None:
    stream = Stream()
    stream.feed.audio.take(0, aac_header())
    stream.feed.audio.take(0, aac(bytes(MAX_AUDIO_BYTES)))
    stream.feed.audio.take(21, aac(bytes(MAX_AUDIO_BYTES + 1)))
    assert len(stream.recorder.units) == 1
    assert stream.recorder.all("dropped") == ["oversized-frame"]
