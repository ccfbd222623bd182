"""One access unit is made of the messages of one picture, and of messages in other formats than MP4's."""

import pytest

from ingest.feed import MediaFeed
from ingest.picture_joiner import LONGEST_HOLD_MS, MAX_PARTS, WHOLE_PICTURES
from ingest.video_feed import MAX_EARLY
from media.bits import BitWriter
from media.codecs.h264.configuration import record_sets
from media.codecs.h264.sps import parse_sps
from tests.unit.ingest.samples import (
    AAC_FRAME,
    AVC_RECORD,
    IDR,
    NON_IDR,
    OTHER_AVC_RECORD,
    Recorder,
    aac,
    aac_header,
    avc,
    avc_header,
    nal_units,
)

(SPS,), (PPS,), _ = record_sets(AVC_RECORD)
(OTHER_SPS,), (OTHER_PPS,), _ = record_sets(OTHER_AVC_RECORD)
FRAME_NUM_BITS = parse_sps(SPS).frame_num_bits
DELIMITER = b"\x09\xf0"
SEI = bytes.fromhex("060511") + bytes(range(16)) + b"x\x80"
FILLER = b"\x0c\xff\x80"
RAW_BLOCK = AAC_FRAME[2:]


def coded_slice(first_mb: int, frame_num: int = 0, header: int = 0x41) -> bytes:
    """A slice of ``frame_num``, which starts at the macroblock ``first_mb`` (ITU-T H.264, 7.3.3)."""
    bits = BitWriter()
    bits.write(header, 8)
    bits.ue(first_mb)
    bits.ue(7)
    bits.ue(0)
    bits.write(frame_num, FRAME_NUM_BITS)
    bits.write(1, 8)
    return bits.to_bytes()


def annexb(*units: bytes) -> bytes:
    return b"".join(b"\0\0\0\1" + unit for unit in units)


def adts(*blocks: bytes, channels: int = 2, crc: bool = False, rate_index: int = 3) -> bytes:
    """ADTS frames of AAC-LC (ISO/IEC 14496-3, 1.A.2.2)."""
    data = b""
    for block in blocks:
        bits = BitWriter()
        bits.write(0xFFF, 12)
        bits.write(0 if crc else 1, 4)
        bits.write(1, 2)
        bits.write(rate_index, 4)
        bits.write(0, 1)
        bits.write(channels, 3)
        bits.write(0, 4)
        bits.write(7 + 2 * crc + len(block), 13)
        bits.write(0x7FF << 2, 13)
        data += bits.to_bytes() + bytes(2 * crc) + block
    return data


class Publisher:
    """Sends video to a feed; ``payloads`` are the payloads of the units that it made."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.feed = MediaFeed(self.recorder)

    def video(self, timestamp: int, *units: bytes, key: bool = False) -> None:
        self.feed.video.take(timestamp, avc(nal_units(*units), key=key))

    def header(self, record: bytes = AVC_RECORD) -> None:
        self.feed.video.take(0, avc_header(record))

    def audio(self, timestamp: int, body: bytes) -> None:
        self.feed.audio.take(timestamp, body)

    @property
    def payloads(self) -> list[bytes]:
        return [unit.payload for unit in self.recorder.units]

    @property
    def dropped(self) -> list[object]:
        return self.recorder.all("dropped")


@pytest.fixture
def publisher() -> Publisher:
    publisher = Publisher()
    publisher.header()
    return publisher


@pytest.fixture
def running(publisher: Publisher) -> Publisher:
    """A publisher that has sent two pictures, each as one message."""
    publisher.video(0, IDR, key=True)
    publisher.video(1, NON_IDR)
    publisher.recorder.calls.clear()
    return publisher


def test_whole_pictures_pass_at_once(running: Publisher) -> None:
    running.video(33, NON_IDR)
    assert running.payloads == [nal_units(NON_IDR)]


def test_first_picture_passes_when_the_next_starts(publisher: Publisher) -> None:
    publisher.video(0, IDR, key=True)
    assert publisher.payloads == []
    publisher.video(33, NON_IDR)
    assert publisher.payloads == [nal_units(IDR), nal_units(NON_IDR)]


def test_first_picture_passes_if_much_later_audio_arrives(publisher: Publisher) -> None:
    publisher.audio(0, aac_header())
    publisher.video(0, IDR, key=True)
    publisher.audio(LONGEST_HOLD_MS, AAC_FRAME)
    assert publisher.recorder.names[-1] == "unit"
    assert len(publisher.payloads) == 1
    publisher.audio(LONGEST_HOLD_MS + 1, AAC_FRAME)
    assert nal_units(IDR) in publisher.payloads


def test_first_picture_passes_at_the_end(publisher: Publisher) -> None:
    publisher.video(0, IDR, key=True)
    publisher.feed.close()
    assert publisher.payloads == [nal_units(IDR)]


def test_parameter_sets_and_sei_of_their_own_join_the_next_picture(running: Publisher) -> None:
    running.video(33, SPS, PPS, key=True)
    running.video(33, SEI)
    running.video(34, IDR, key=True)
    (unit,) = running.recorder.units
    assert unit.payload == nal_units(SPS, PPS, SEI, IDR)
    assert unit.key
    assert unit.dts == 34 * 90
    running.video(66, SEI)
    running.video(66, NON_IDR)
    assert running.payloads[1:] == [nal_units(SEI, NON_IDR)]
    assert running.dropped == []


def test_delimiter_comes_first_and_once(running: Publisher) -> None:
    running.video(33, DELIMITER)
    running.video(33, SEI)
    running.video(33, DELIMITER, NON_IDR)
    assert running.payloads == [nal_units(DELIMITER, SEI, NON_IDR)]


def test_padding_of_its_own_is_left_out(running: Publisher) -> None:
    running.video(33, NON_IDR)
    running.video(33, FILLER)
    running.video(66, NON_IDR)
    assert running.payloads == [nal_units(NON_IDR)] * 2


def test_slices_of_one_picture_are_one_unit(publisher: Publisher) -> None:
    for number in range(3):
        header = 0x41 if number else 0x65
        for first_mb in (0, 60, 120, 180):
            publisher.video(number * 33, coded_slice(first_mb, number, header), key=number == 0)
    publisher.feed.close()
    assert publisher.payloads == [
        nal_units(*(coded_slice(first_mb, number, 0x41 if number else 0x65) for first_mb in (0, 60, 120, 180)))
        for number in range(3)
    ]
    assert [(unit.key, unit.dts) for unit in publisher.recorder.units] == [(True, 0), (False, 2970), (False, 5940)]
    assert publisher.dropped == []
    assert publisher.recorder.all("repaired") == ["split-picture"] * 9


def test_audio_between_slices_does_not_end_the_picture(publisher: Publisher) -> None:
    publisher.audio(0, aac_header())
    publisher.video(0, coded_slice(0, 0, 0x65), key=True)
    publisher.audio(20, AAC_FRAME)
    publisher.video(0, coded_slice(60, 0, 0x65), key=True)
    publisher.feed.close()
    assert publisher.payloads[-1] == nal_units(coded_slice(0, 0, 0x65), coded_slice(60, 0, 0x65))


@pytest.mark.parametrize(
    "stray",
    [
        coded_slice(60, frame_num=2),
        coded_slice(60, frame_num=1, header=0x01),
        coded_slice(60, frame_num=1, header=0x65),
        coded_slice(0, frame_num=1)[:1] + b"\x00",
    ],
)
def test_slice_of_another_picture_is_dropped(publisher: Publisher, stray: bytes) -> None:
    publisher.video(0, IDR, key=True)
    publisher.video(33, coded_slice(0, 1))
    publisher.video(33, coded_slice(60, 1))
    publisher.recorder.calls.clear()
    publisher.video(66, coded_slice(0, 1))
    publisher.video(66, stray)
    publisher.feed.close()
    assert publisher.dropped == ["incomplete-picture"]
    assert publisher.payloads[-1] == nal_units(coded_slice(0, 1))


def test_encoder_that_starts_to_split_pictures_loses_one(running: Publisher) -> None:
    for number in (1, 2):
        running.video(number * 33, coded_slice(0, number))
        running.video(number * 33, coded_slice(60, number))
    running.feed.close()
    assert running.dropped == ["incomplete-picture"]
    assert running.payloads == [nal_units(coded_slice(0, 1)), nal_units(coded_slice(0, 2), coded_slice(60, 2))]


def test_pictures_are_held_no_longer_after_an_encoder_stops_to_split_them(running: Publisher) -> None:
    running.video(33, coded_slice(60, 1))
    for number in range(WHOLE_PICTURES + 1):
        running.video(66 + number * 33, NON_IDR)
    assert len(running.payloads) == WHOLE_PICTURES + 1


def test_a_picture_has_a_limit(running: Publisher) -> None:
    for _ in range(MAX_PARTS + 1):
        running.video(33, SEI)
    assert running.dropped == ["oversized-picture"]
    running.video(33, NON_IDR)
    assert len(running.payloads[0]) == len(nal_units(SEI)) * MAX_PARTS + len(nal_units(NON_IDR))


@pytest.mark.parametrize("code", [b"\0\0\0\1", b"\0\0\1"])
def test_start_codes_become_lengths(running: Publisher, code: bytes) -> None:
    running.feed.video.take(33, avc(b"".join(code + unit for unit in (DELIMITER, SEI, IDR)), key=True))
    running.feed.video.take(66, avc(code + NON_IDR))
    assert running.payloads == [nal_units(DELIMITER, SEI, IDR.rstrip(b"\0")), nal_units(NON_IDR.rstrip(b"\0"))]
    assert running.recorder.units[0].key
    assert running.recorder.all("repaired") == ["annex-b", "annex-b"]


def test_start_codes_after_one_length_become_lengths(running: Publisher) -> None:
    running.video(33, annexb(SPS, PPS, IDR)[4:], key=True)
    assert running.payloads == [nal_units(SPS, PPS, IDR.rstrip(b"\0"))]


def test_sequence_header_may_have_start_codes() -> None:
    publisher = Publisher()
    publisher.header(annexb(SPS, PPS))
    publisher.feed.video.take(0, avc(annexb(IDR), key=True))
    publisher.feed.close()
    assert publisher.recorder.names == ["video-config", "repaired", "unit"]


def test_repeated_parameter_sets_change_nothing(running: Publisher) -> None:
    running.video(33, SPS, PPS, IDR, key=True)
    running.video(66, b"\x27" + SPS[1:] + b"\0", b"\x28" + PPS[1:], IDR, key=True)
    assert running.recorder.names == ["unit", "unit"]


@pytest.mark.parametrize("alone", [False, True])
def test_changed_parameter_sets_are_a_new_configuration(running: Publisher, alone: bool) -> None:
    if alone:
        running.video(33, OTHER_SPS, OTHER_PPS)
        running.video(33, IDR, key=True)
    else:
        running.video(33, OTHER_SPS, OTHER_PPS, IDR, key=True)
    assert running.recorder.calls[0] == ("video-config", (640, 360))
    assert running.payloads == [nal_units(OTHER_SPS, OTHER_PPS, IDR)]
    running.header()
    running.video(66, NON_IDR)
    running.feed.close()
    assert running.recorder.names == ["video-config", "unit", "unit"]


def test_configuration_changes_at_a_keyframe_only(running: Publisher) -> None:
    running.video(33, OTHER_SPS, OTHER_PPS, NON_IDR)
    assert running.recorder.names == ["unit"]
    running.video(66, IDR, key=True)
    assert running.recorder.names == ["unit", "video-config", "unit"]


@pytest.mark.parametrize("sets", [[b"\x67\x64"], [SPS] * 1000])
def test_unreadable_parameter_sets_are_counted(running: Publisher, sets: list[bytes]) -> None:
    running.video(33, *sets, IDR, key=True)
    assert running.recorder.names == ["dropped", "unit"]
    assert running.dropped == ["malformed-config"]


@pytest.mark.parametrize("together", [False, True])
def test_parameter_sets_in_messages_replace_a_sequence_header(together: bool) -> None:
    publisher = Publisher()
    publisher.video(0, NON_IDR)
    if together:
        publisher.feed.video.take(33, avc(annexb(SPS, PPS, IDR), key=True))
    else:
        for unit in (SPS, PPS, IDR):
            publisher.video(33, unit, key=True)
    publisher.feed.close()
    assert publisher.recorder.names == ["dropped", "video-config", *["repaired"] * together, "unit"]
    assert publisher.dropped == ["no-config"]
    assert publisher.recorder.units[0].key


def test_early_messages_have_a_limit() -> None:
    publisher = Publisher()
    for _ in range(MAX_EARLY + 1):
        publisher.video(0, SPS)
    assert publisher.dropped == ["no-config"]


@pytest.mark.parametrize("crc", [False, True])
def test_adts_headers_are_removed(crc: bool) -> None:
    publisher = Publisher()
    publisher.audio(0, aac_header())
    publisher.audio(0, aac(adts(RAW_BLOCK, crc=crc)))
    publisher.audio(21, AAC_FRAME)
    assert publisher.payloads == [RAW_BLOCK, RAW_BLOCK]
    assert publisher.recorder.all("repaired") == ["adts"]


def test_frames_of_one_adts_message_are_units_of_their_own() -> None:
    publisher = Publisher()
    publisher.audio(0, aac_header())
    publisher.audio(0, aac(adts(RAW_BLOCK, RAW_BLOCK, RAW_BLOCK)))
    publisher.audio(64, aac(adts(RAW_BLOCK)))
    assert [unit.dts for unit in publisher.recorder.units] == [0, 1024, 2048, 3072]


def test_adts_headers_replace_a_sequence_header() -> None:
    publisher = Publisher()
    publisher.audio(0, aac(adts(RAW_BLOCK)))
    publisher.audio(21, aac(adts(RAW_BLOCK)))
    publisher.audio(43, aac(adts(RAW_BLOCK, rate_index=4)))
    assert publisher.recorder.names == [
        *("audio-config", "repaired", "unit"),
        *("repaired", "unit"),
        *("audio-config", "repaired", "unit"),
    ]
    assert publisher.recorder.all("audio-config") == [("aac", 48000), ("aac", 44100)]


@pytest.mark.parametrize(
    "bad", [adts(RAW_BLOCK)[:-1], adts(b""), adts(RAW_BLOCK) + b"x", adts(RAW_BLOCK)[:6], adts(*[RAW_BLOCK] * 97)]
)
def test_malformed_adts_is_dropped(bad: bytes) -> None:
    publisher = Publisher()
    publisher.audio(0, aac_header())
    publisher.audio(0, aac(bad))
    assert publisher.dropped == ["malformed-frame"]
    assert publisher.payloads == []
