import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.codecs.mp3 import MP3, parse_frame_header
from media.configs import AudioConfig
from media.errors import MalformedConfig, MediaError, UnsupportedConfig
from media.units import Codec


@pytest.mark.parametrize(
    ("header", "sample_rate", "channels", "frame_samples"),
    [
        ("fffb9064", 44100, 2, 1152),
        ("fffb94c4", 48000, 1, 1152),
        ("fffa9848", 32000, 2, 1152),
        ("fff38064", 22050, 2, 576),
        ("fff384c4", 24000, 1, 576),
        ("ffe38864", 8000, 2, 576),
        # Free format is a bitrate index of 0.
        ("fffb0004", 44100, 2, 1152),
    ],
)
def test_headers_of_every_version_are_parsed(
    header: str, sample_rate: int, channels: int, frame_samples: int
) -> None:
    config = parse_frame_header(bytes.fromhex(header) + bytes(100))
    assert config == AudioConfig(Codec.MP3, b"", "mp4a.40.34", sample_rate, channels, frame_samples)


@pytest.mark.parametrize(("header", "layer"), [("fffd9064", "2"), ("ffff9064", "1")])
def test_other_layers_are_refused_by_number(header: str, layer: str) -> None:
    with pytest.raises(UnsupportedConfig, match=f"layer {layer}"):
        parse_frame_header(bytes.fromhex(header))


@pytest.mark.parametrize("header", ["", "fffb90", "494433030000", "ffeb9064", "fff99064", "fffbf064", "fffb9c64"])
def test_bad_headers_are_refused(header: str) -> None:
    with pytest.raises(MalformedConfig):
        parse_frame_header(bytes.fromhex(header))


@given(st.one_of(st.binary(max_size=8), st.binary(max_size=4).map(lambda data: b"\xff" + data)))
def test_only_declared_errors_are_raised(data: bytes) -> None:
    try:
        config = parse_frame_header(data)
    except MediaError:
        return
    assert 8000 <= config.sample_rate <= 48000


def test_mp3_has_neither_silence_nor_a_configuration_record() -> None:
    assert MP3.silence(AudioConfig(Codec.MP3, b"", "mp4a.40.34", 48000, 2, 1152)) is None
    with pytest.raises(MalformedConfig, match="2 bytes"):
        MP3.parse_config(b"\x11\x90")


@given(st.binary(max_size=8).map(lambda data: b"\xff\xfb" + data))
def test_frames_of_one_signature_have_one_configuration(data: bytes) -> None:
    assert MP3.in_band is not None
    # Bitrate, padding and the stereo mode are not part of the configuration.
    other = bytearray(data)
    if len(other) >= 4:
        other[2] ^= 0x32
    try:
        config = MP3.in_band.parse(data)
        changed = MP3.in_band.parse(bytes(other))
    except MediaError:
        return
    assert MP3.in_band.signature(data) == MP3.in_band.signature(bytes(other))
    assert config == changed
