import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.bits import BitWriter
from media.codecs.aac import (
    MAX_RECORD,
    SAMPLE_RATES,
    parse_audio_specific_config,
    silent_frame,
)
from media.configs import AudioConfig
from media.errors import MalformedConfig, MediaError, UnsupportedConfig
from media.units import Codec
from tests.lab.aac import aac_lc_record


def record(*fields: tuple[int, int]) -> bytes:
    bits = BitWriter()
    for value, count in fields:
        bits.write(value, count)
    return bits.to_bytes()


@pytest.mark.parametrize(
    ("data", "codec_string", "sample_rate", "channels", "frame_samples"),
    [
        ("1190", "mp4a.40.2", 48000, 2, 1024),
        ("1210", "mp4a.40.2", 44100, 2, 1024),
        ("1188", "mp4a.40.2", 48000, 1, 1024),
        ("11b0", "mp4a.40.2", 48000, 6, 1024),
        ("11b8", "mp4a.40.2", 48000, 8, 1024),
        # Frames of 960 samples.
        ("1194", "mp4a.40.2", 48000, 2, 960),
        # OBS and ffmpeg: AAC-LC that explicitly signals the absence of SBR.
        ("119056e500", "mp4a.40.2", 48000, 2, 1024),
        # HE-AAC, hierarchical and backward-compatible.
        ("2b920800", "mp4a.40.5", 44100, 2, 2048),
        ("139056e5a0", "mp4a.40.5", 44100, 2, 2048),
        # SBR that keeps the rate.
        ("2a120800", "mp4a.40.5", 44100, 2, 1024),
        # HE-AAC v2, likewise both ways.
        ("eb8a0800", "mp4a.40.29", 44100, 2, 2048),
        ("138856e5a54880", "mp4a.40.29", 44100, 2, 2048),
        # Trailing bytes that are not an extension.
        ("11900000", "mp4a.40.2", 48000, 2, 1024),
    ],
)
def test_records_of_real_encoders_are_parsed(
    data: str, codec_string: str, sample_rate: int, channels: int, frame_samples: int
) -> None:
    config = parse_audio_specific_config(bytes.fromhex(data))
    assert config == AudioConfig(Codec.AAC, bytes.fromhex(data), codec_string, sample_rate, channels, frame_samples)
    assert config.timescale == sample_rate


def test_an_explicit_sample_rate_is_parsed() -> None:
    config = parse_audio_specific_config(record((2, 5), (15, 4), (45000, 24), (2, 4), (0, 3)))
    assert config.sample_rate == 45000


def test_a_core_coder_delay_is_skipped() -> None:
    extension = ((0x2B7, 11), (5, 5), (1, 1), (3, 4))
    data = record((2, 5), (6, 4), (2, 4), (0, 1), (1, 1), (99, 14), (0, 1), *extension)
    assert parse_audio_specific_config(data).sample_rate == 48000


def test_channels_are_counted_in_a_program_config_element() -> None:
    layout = (
        *((0, 4), (1, 2), (3, 4)),
        # One front pair and centre, one side pair, one back, one LFE, one of associated data, one coupling.
        *((2, 4), (1, 4), (1, 4), (1, 2), (1, 3), (1, 4)),
        *((1, 1), (0, 4), (0, 1), (1, 1), (0, 3)),
        *((1, 1), (0, 4), (0, 1), (1, 4), (1, 1), (2, 4), (0, 1), (3, 4)),
        *((0, 4), (0, 4), (0, 5)),
    )
    head = ((2, 5), (3, 4), (0, 4), (0, 3))
    padding = (0, -sum(count for _, count in (*head, *layout)) % 8)
    comment = ((2, 8), (0x6869, 16))
    extension = ((0x2B7, 11), (5, 5), (0, 1))
    data = record(*head, *layout, padding, *comment, *extension)
    config = parse_audio_specific_config(data)
    assert (config.channels, config.codec_string) == (7, "mp4a.40.2")
    assert silent_frame(config) is None


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (record((1, 5), (3, 4), (2, 4), (0, 3)), "AAC Main"),
        (record((4, 5), (3, 4), (2, 4), (0, 3)), "AAC LTP"),
        (record((31, 5), (10, 6), (3, 4), (2, 4), (0, 10)), "USAC"),
        (record((31, 5), (7, 6), (3, 4), (2, 4), (0, 10)), "ELD"),
        (record((5, 5), (6, 4), (2, 4), (3, 4), (1, 5), (0, 3)), "AAC Main"),
        (record((9, 5), (3, 4), (2, 4), (0, 3)), "object type 9"),
    ],
)
def test_other_object_types_are_refused_by_name(data: bytes, name: str) -> None:
    with pytest.raises(UnsupportedConfig, match=name):
        parse_audio_specific_config(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x11",
        bytes(MAX_RECORD + 1),
        record((2, 5), (13, 4), (2, 4), (0, 3)),
        record((2, 5), (15, 4), (0, 24), (2, 4), (0, 3)),
        record((2, 5), (15, 4), (192_001, 24), (2, 4), (0, 3)),
        record((2, 5), (3, 4), (8, 4), (0, 3)),
        record((2, 5), (3, 4), (15, 4), (0, 3)),
        # A program configuration without a channel.
        record((2, 5), (3, 4), (0, 4), (0, 3), (0, 40), (0, 8)),
        # SBR from 48 to 44.1 kHz.
        record((5, 5), (3, 4), (2, 4), (4, 4), (2, 5), (0, 3)),
        # Parametric stereo over two channels.
        record((29, 5), (6, 4), (2, 4), (3, 4), (2, 5), (0, 3)),
    ],
)
def test_bad_records_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedConfig):
        parse_audio_specific_config(data)


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 8])
def test_every_sample_rate_and_channel_configuration_is_parsed(sample_rate: int, channels: int) -> None:
    config = parse_audio_specific_config(aac_lc_record(sample_rate, channels))
    assert (config.sample_rate, config.channels, config.frame_samples) == (sample_rate, channels, 1024)
    assert config.codec_string == "mp4a.40.2"


def test_silence_has_the_core_configuration_with_or_without_sbr() -> None:
    stereo = silent_frame(parse_audio_specific_config(b"\x11\x90"))
    mono = silent_frame(parse_audio_specific_config(b"\x11\x88"))
    assert stereo is not None
    assert mono is not None
    assert stereo != mono
    assert silent_frame(parse_audio_specific_config(bytes.fromhex("139056e5a0"))) == stereo
    assert silent_frame(parse_audio_specific_config(bytes.fromhex("eb8a0800"))) == mono


@settings(max_examples=200)
@given(st.binary(max_size=40), st.sampled_from(["1190", "139056e5a0", "eb8a0800", "1180", ""]))
def test_only_declared_errors_are_raised(noise: bytes, start: str) -> None:
    try:
        config = parse_audio_specific_config(bytes.fromhex(start) + noise)
    except MediaError:
        return
    assert 0 < config.sample_rate <= 384_000
    assert 0 < config.channels <= 100
    assert config.frame_samples in (960, 1024, 1920, 2048)
    silent_frame(config)
