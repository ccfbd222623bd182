"""Two invented codecs: everything that a new codec has to define, and the tables it has to be in."""

import pytest

from ingest.flv import codecs as flv
from media.codecs import AUDIO_CODECS, VIDEO_CODECS, AudioCodec, VideoCodec
from media.codecs.descriptor import Content, Message
from media.configs import AudioConfig, VideoConfig
from media.errors import MalformedConfig
from media.units import Codec
from packager.boxes.box import box
from packager.boxes.sample_entries import audio, visual
from packager.boxes.sample_entries.table import AUDIO_ENTRIES, VIDEO_ENTRIES
from packager.cmaf.bitrate import TrackBitrate

WISP = Codec("wisp")
HUM = Codec("hum")

VIDEO_ID = 11
SOUND_FORMAT = 12
WISP_FOURCC = b"wsp1"
HUM_FOURCC = b"humm"

# Level 7, 320x180.
WISP_RECORD = b"W\x07" + (320).to_bytes(2, "big") + (180).to_bytes(2, "big")
# 48 kHz, stereo.
HUM_RECORD = b"H" + (48_000).to_bytes(3, "big") + b"\x02"
HUM_FRAME_SAMPLES = 960
HUM_SILENCE = b"hush"


def parse_wisp(record: bytes) -> VideoConfig:
    if len(record) != len(WISP_RECORD) or record[:1] != b"W":
        raise MalformedConfig("not a record of wisp")
    width, height = int.from_bytes(record[2:4], "big"), int.from_bytes(record[4:6], "big")
    return VideoConfig(WISP, record, f"wsp1.{record[1]}", width, height)


def parse_hum(record: bytes) -> AudioConfig:
    if len(record) != len(HUM_RECORD) or record[:1] != b"H":
        raise MalformedConfig("not a record of hum")
    rate = int.from_bytes(record[1:4], "big")
    return AudioConfig(HUM, record, "humm.1", rate, record[4], HUM_FRAME_SAMPLES)


def read_message(data: bytes) -> Message:
    return without_marker(data), Content.PICTURE


def without_marker(data: bytes) -> bytes:
    if data[:1] not in (b"K", b"P"):
        raise MalformedConfig("a frame of wisp is neither K nor P")
    return data.removesuffix(b"\x00")


WISP_CODEC = VideoCodec(
    codec=WISP,
    parse_config=parse_wisp,
    message_reader=lambda record: read_message,
    has_start_codes=lambda data: False,
    is_random_access=lambda payload: payload[:1] == b"K",
    parameter_sets=lambda record: b"sets:" + record,
    update_config=lambda record, payload: None,
    largest_picture=lambda payload: 0,
    picture_matcher=lambda record: lambda payload, continuation: False,
    join=b"".join,
    parse_encoder_headers=parse_wisp,
    parse_encoder_packet=without_marker,
)
HUM_CODEC = AudioCodec(codec=HUM, parse_config=parse_hum, silence=lambda config: HUM_SILENCE)


def wisp_entry(config: VideoConfig, bitrate: TrackBitrate | None) -> bytes:
    return visual.encode(WISP_FOURCC, config, bitrate, box(b"wspC", config.record))


def hum_entry(config: AudioConfig, bitrate: TrackBitrate | None) -> bytes:
    return audio.encode(HUM_FOURCC, config, bitrate, box(b"humC", config.record))


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add both codecs to the tables until the end of the test."""
    monkeypatch.setitem(VIDEO_CODECS, WISP, WISP_CODEC)
    monkeypatch.setitem(AUDIO_CODECS, HUM, HUM_CODEC)
    monkeypatch.setitem(VIDEO_ENTRIES, WISP, wisp_entry)
    monkeypatch.setitem(AUDIO_ENTRIES, HUM, hum_entry)
    monkeypatch.setitem(flv.VIDEO_IDS, VIDEO_ID, WISP)
    monkeypatch.setitem(flv.VIDEO_FOURCCS, WISP_FOURCC, flv.VideoFourCC(WISP, composition_time=False))
    monkeypatch.setitem(flv.SOUND_FORMATS, SOUND_FORMAT, flv.SoundFormat(HUM, packet_type=True))
    monkeypatch.setitem(flv.AUDIO_FOURCCS, HUM_FOURCC, HUM)
