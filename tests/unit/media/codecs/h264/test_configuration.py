import struct
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs.h264.configuration import (
    MAX_RECORD,
    annexb_config,
    avc_config,
    config_parameter_sets,
    nal_length_size,
    parse_avc_config,
)
from media.configs import Colour
from media.errors import MalformedConfig, MediaError
from media.units import Codec
from tests.unit.media.codecs.h264.sps_builder import SpsFields, nal_unit

FIELDS = SpsFields(
    constraint_flags=0x0C,
    aspect_ratio_idc=14,
    full_range=False,
    colour=Colour(1, 1, 1, False),
    timing=(1001, 60000),
)
SPS = nal_unit(FIELDS)
PPS = b"\x68\xee\x3c\xb0"


def record(
    sps_list: list[bytes],
    pps_list: list[bytes],
    *,
    profile: bytes = b"\x64\x0c\x1f",
    length_size: int = 4,
    reserved: int = 0xFF,
    tail: bytes = b"\xfd\xf8\xf8\x00",
) -> bytes:
    head = b"\x01" + profile + bytes((reserved & 0xFC | length_size - 1, reserved & 0xE0 | len(sps_list)))
    counted = [struct.pack(">H", len(unit)) + unit for unit in (*sps_list, *pps_list)]
    split = len(sps_list)
    return head + b"".join(counted[:split]) + bytes((len(pps_list),)) + b"".join(counted[split:]) + tail


def lengths(*units: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def test_a_record_is_parsed_completely() -> None:
    config = parse_avc_config(record([SPS], [PPS]))
    assert config.codec is Codec.H264
    assert config.record == record([SPS], [PPS])
    assert config.codec_string == "avc1.640c1f"
    assert (config.width, config.height, config.timescale) == (1280, 720, 90_000)
    assert config.sample_aspect_ratio == Fraction(4, 3)
    assert config.frame_rate == Fraction(30000, 1001)
    assert config.colour == Colour(1, 1, 1, False)
    assert not config.interlaced
    assert config.plays_everywhere


@pytest.mark.parametrize("length_size", [1, 2, 4])
@pytest.mark.parametrize("reserved", [0x00, 0xFF])
def test_the_record_is_normalised(length_size: int, reserved: int) -> None:
    irregular = record([SPS + b"\0"], [PPS + b"\0\0"], length_size=length_size, reserved=reserved, tail=b"")
    assert nal_length_size(irregular) == length_size
    assert parse_avc_config(irregular).record == record([SPS], [PPS])


def test_the_extension_is_kept_for_high_profiles_and_omitted_below() -> None:
    extension = b"\x6d\x40\x80"
    with_extension = record([SPS], [PPS], tail=b"\xfd\xf8\xf8\x01\x00\x03" + extension)
    assert parse_avc_config(with_extension).record == with_extension

    high_422 = nal_unit(SpsFields(profile_idc=122, chroma_format_idc=2, bit_depth_luma=10, bit_depth_chroma=9))
    assert avc_config([high_422], [PPS]).record.endswith(PPS + b"\xfe\xfa\xf9\x00")

    main = nal_unit(SpsFields(profile_idc=77, constraint_flags=0x40), high_profile=False)
    config = parse_avc_config(record([main], [PPS], profile=b"\x4d\x40\x1f"))
    assert config.record == record([main], [PPS], profile=b"\x4d\x40\x1f", tail=b"")
    assert config.codec_string == "avc1.4d401f"


def test_several_parameter_sets_share_a_record() -> None:
    smaller = nal_unit(SpsFields(constraint_flags=0x04, level_idc=40, width_in_mbs=40))
    config = avc_config([SPS, smaller], [PPS, PPS + b"\x01"])
    assert parse_avc_config(config.record) == config
    assert config.codec_string == "avc1.640428"
    assert config.width == 1280


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\x01\x64\x00\x1f\xff\xe0",
        record([], [PPS]),
        record([SPS], []),
        record([PPS], [SPS]),
        record([SPS], [PPS], length_size=3),
        b"\x00" + record([SPS], [PPS])[1:],
        record([SPS, b""], [PPS]),
        record([SPS], [b"\0\0\0"]),
        record([SPS], [PPS], tail=b"\xfd\xf8\xf8\x01"),
        record([SPS], [PPS], tail=b"\xfd\xf8\xf8\x01\x00\x01\x67"),
        record([SPS[:6]], [PPS]),
        record([SPS], [PPS]) + bytes(MAX_RECORD),
    ],
)
def test_bad_records_are_refused(bad: bytes) -> None:
    with pytest.raises(MalformedConfig):
        parse_avc_config(bad)


def test_every_truncation_of_the_parameter_sets_is_refused() -> None:
    whole = record([SPS], [PPS], tail=b"")
    for length in range(len(whole)):
        with pytest.raises(MalformedConfig):
            parse_avc_config(whole[:length])


def test_too_many_parameter_sets_are_refused() -> None:
    with pytest.raises(MalformedConfig, match="32 sequence"):
        avc_config([SPS] * 32, [PPS])
    with pytest.raises(MalformedConfig, match="256 picture"):
        avc_config([SPS], [PPS] * 256)
    with pytest.raises(MalformedConfig, match="65536 bytes"):
        avc_config([SPS], [PPS.ljust(65536, b"\x01")])


def test_parameter_sets_are_prepended_to_a_payload() -> None:
    config = avc_config([SPS], [PPS, PPS])
    assert config_parameter_sets(config.record) == lengths(SPS, PPS, PPS)


def test_a_record_of_a_real_encoder_is_parsed() -> None:
    assert annexb_config(b"\0\0\0\1" + SPS + b"\0\0\1" + PPS) == avc_config([SPS], [PPS])
    assert annexb_config(b"\0\0\1\x09\xf0\0\0\1" + SPS + b"\0\0\1" + PPS + b"\0\0\1\x65") == avc_config(
        [SPS], [PPS]
    )
    with pytest.raises(MalformedConfig, match="0 picture"):
        annexb_config(b"\0\0\0\1" + SPS)


@settings(max_examples=150)
@given(st.binary(max_size=80), st.integers(0, 60), st.integers(0, 80), st.integers(0, 255))
def test_records_raise_only_declared_errors(noise: bytes, kept: int, place: int, value: int) -> None:
    valid = record([SPS], [PPS])
    changed = bytearray(valid)
    changed[place % len(valid)] = value
    for data in (noise, valid[:kept] + noise, bytes(changed)):
        try:
            config = parse_avc_config(data)
        except MediaError:
            continue
        assert parse_avc_config(config.record) == config
