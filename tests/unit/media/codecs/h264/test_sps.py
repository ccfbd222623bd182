from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs.h264.sps import HIGH_PROFILES, parse_sps
from media.configs import Colour
from media.errors import MalformedConfig, MediaError
from tests.unit.media.codecs.h264.sps_builder import SpsFields, nal_unit

BT709 = Colour(1, 1, 1, False)


def test_a_simple_parameter_set_is_parsed() -> None:
    sps = parse_sps(nal_unit(SpsFields(constraint_flags=0x0C, vui=False)))
    assert (sps.profile_idc, sps.constraint_flags, sps.level_idc) == (100, 0x0C, 31)
    assert (sps.width, sps.height) == (1280, 720)
    assert (sps.chroma_format_idc, sps.bit_depth_luma, sps.bit_depth_chroma) == (1, 8, 8)
    assert (sps.sample_aspect_ratio, sps.colour, sps.frame_rate) == (Fraction(1), None, None)
    assert not sps.interlaced


@pytest.mark.parametrize("profile", [66, 77, 88])
def test_profiles_below_high_have_no_chroma_fields(profile: int) -> None:
    sps = parse_sps(nal_unit(SpsFields(profile_idc=profile), high_profile=False))
    assert (sps.chroma_format_idc, sps.bit_depth_luma, sps.width, sps.height) == (1, 8, 1280, 720)


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        # 1080p: 8 lines of 1088 cropped, in units of two.
        (SpsFields(width_in_mbs=120, height_in_map_units=68, crop=(0, 0, 0, 4)), (1920, 1080)),
        # 1080i: units of four lines.
        (
            SpsFields(width_in_mbs=120, height_in_map_units=34, frame_mbs_only=False, crop=(0, 0, 0, 2)),
            (1920, 1080),
        ),
        (SpsFields(chroma_format_idc=0, crop=(1, 2, 3, 4)), (1277, 713)),
        (SpsFields(chroma_format_idc=2, crop=(1, 2, 3, 4)), (1274, 713)),
        (SpsFields(chroma_format_idc=3, crop=(1, 2, 3, 4)), (1277, 713)),
        (SpsFields(chroma_format_idc=3, separate_planes=True, crop=(1, 2, 3, 4)), (1277, 713)),
    ],
)
def test_the_size_is_after_cropping(fields: SpsFields, size: tuple[int, int]) -> None:
    sps = parse_sps(nal_unit(fields))
    assert (sps.width, sps.height) == size
    assert sps.interlaced is not fields.frame_mbs_only


@pytest.mark.parametrize(
    ("index", "ratio"),
    [(0, "1"), (1, "1"), (2, "12/11"), (5, "40/33"), (9, "80/33"), (13, "160/99"), (14, "4/3"), (16, "2")],
)
def test_sample_aspect_ratio_by_index(index: int, ratio: str) -> None:
    assert parse_sps(nal_unit(SpsFields(aspect_ratio_idc=index))).sample_aspect_ratio == Fraction(ratio)


@pytest.mark.parametrize(
    ("index", "extended", "ratio"),
    [(255, (64, 45), Fraction(64, 45)), (255, (0, 5), 1), (255, (5, 0), 1), (17, (0, 0), 1), (254, (0, 0), 1)],
)
def test_sample_aspect_ratio_explicit_or_reserved(index: int, extended: tuple[int, int], ratio: Fraction) -> None:
    sps = parse_sps(nal_unit(SpsFields(aspect_ratio_idc=index, extended_sar=extended)))
    assert sps.sample_aspect_ratio == ratio


@pytest.mark.parametrize(
    ("full_range", "colour", "expected"),
    [
        (False, BT709, BT709),
        (True, Colour(9, 16, 9, True), Colour(9, 16, 9, True)),
        (True, None, Colour(2, 2, 2, True)),
        (False, None, None),
        (None, None, None),
    ],
)
def test_the_colour_description_is_parsed(
    full_range: bool | None, colour: Colour | None, expected: Colour | None
) -> None:
    assert parse_sps(nal_unit(SpsFields(full_range=full_range, colour=colour))).colour == expected


@pytest.mark.parametrize(
    ("timing", "rate"),
    [
        ((1, 60), Fraction(30)),
        ((1001, 60000), Fraction(30000, 1001)),
        ((1, 600), Fraction(300)),
        ((1, 2000), None),
        ((0, 60), None),
        ((1, 0), None),
        ((0xFFFFFFFF, 1), None),
    ],
)
def test_the_frame_rate_is_parsed(timing: tuple[int, int], rate: Fraction | None) -> None:
    sps = parse_sps(nal_unit(SpsFields(timing=timing, chroma_location=True, full_range=False, colour=BT709)))
    assert sps.frame_rate == rate


def test_scaling_lists_are_skipped() -> None:
    flat, ended = (0,) * 16, (-8,)
    eight: tuple[tuple[int, ...] | None, ...] = (flat, None, ended, (1,) * 16, None, flat, (1,) * 64, (-4, -4))
    assert parse_sps(nal_unit(SpsFields(scaling_lists=eight, timing=(1, 50)))).frame_rate == 25
    twelve = (*eight, None, (3,) * 64, ended, None)
    sps = parse_sps(nal_unit(SpsFields(chroma_format_idc=3, scaling_lists=twelve, timing=(1, 50))))
    assert sps.frame_rate == 25


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_picture_order_fields_are_skipped(kind: int) -> None:
    sps = parse_sps(nal_unit(SpsFields(pic_order_cnt_type=kind, order_offsets=(1, -1) * 100)))
    assert (sps.width, sps.height) == (1280, 720)


@pytest.mark.parametrize(
    "fields",
    [
        SpsFields(width_in_mbs=1056),
        SpsFields(height_in_map_units=1 << 20),
        SpsFields(bit_depth_luma=15),
        SpsFields(chroma_format_idc=4),
        SpsFields(pic_order_cnt_type=3),
        SpsFields(pic_order_cnt_type=1, order_offsets=(0,) * 256),
        SpsFields(crop=(640, 0, 0, 0)),
        SpsFields(crop=(0, 0, 1 << 24, 1 << 24)),
    ],
)
def test_invalid_values_are_refused(fields: SpsFields) -> None:
    with pytest.raises(MalformedConfig):
        parse_sps(nal_unit(fields))


def test_a_nal_unit_of_another_type_is_refused() -> None:
    with pytest.raises(MalformedConfig, match="type 7"):
        parse_sps(b"\x68" + nal_unit(SpsFields())[1:])


def test_every_truncation_is_refused() -> None:
    whole = nal_unit(SpsFields(full_range=True, colour=BT709, timing=(1001, 60000), crop=(0, 0, 0, 4)))
    # The last byte has only fields that are not read: HRD and later.
    for length in range(len(whole) - 1):
        with pytest.raises(MalformedConfig):
            parse_sps(whole[:length])


DELTAS = st.one_of(st.none(), st.lists(st.integers(1, 3), min_size=16, max_size=16).map(tuple))
FIELDS = st.builds(
    SpsFields,
    profile_idc=st.sampled_from(sorted(HIGH_PROFILES)),
    constraint_flags=st.integers(0, 255),
    level_idc=st.integers(0, 255),
    chroma_format_idc=st.integers(0, 2),
    bit_depth_luma=st.integers(8, 14),
    bit_depth_chroma=st.integers(8, 14),
    scaling_lists=st.one_of(st.none(), st.tuples(*[DELTAS] * 6, st.just((1,) * 64), st.none())),
    pic_order_cnt_type=st.integers(0, 2),
    order_offsets=st.lists(st.integers(-1000, 1000), max_size=5).map(tuple),
    width_in_mbs=st.integers(2, 1055),
    height_in_map_units=st.integers(2, 1055),
    frame_mbs_only=st.booleans(),
    crop=st.one_of(st.none(), st.tuples(*[st.integers(0, 3)] * 4)),
    aspect_ratio_idc=st.sampled_from([None, 1, 14, 255]),
    extended_sar=st.tuples(*[st.integers(1, 65535)] * 2),
    full_range=st.just(True),
    colour=st.builds(Colour, *[st.integers(0, 255)] * 3, st.just(True)),
    timing=st.tuples(st.integers(1, 1000), st.integers(2000, 600_000)),
)


@settings(max_examples=80)
@given(FIELDS)
def test_every_field_is_read_at_its_position(fields: SpsFields) -> None:
    sps = parse_sps(nal_unit(fields))
    assert (sps.profile_idc, sps.constraint_flags, sps.level_idc) == (
        fields.profile_idc,
        fields.constraint_flags,
        fields.level_idc,
    )
    assert (sps.bit_depth_luma, sps.bit_depth_chroma) == (fields.bit_depth_luma, fields.bit_depth_chroma)
    assert sps.colour == fields.colour
    assert fields.timing is not None
    rate = Fraction(fields.timing[1], 2 * fields.timing[0])
    assert sps.frame_rate == (rate if 1 <= rate <= 300 else None)


@settings(max_examples=150)
@given(st.binary(max_size=60), st.integers(0, 40))
def test_only_declared_errors_are_raised(noise: bytes, kept: int) -> None:
    valid = nal_unit(replace(SpsFields(), full_range=True, colour=BT709, timing=(1, 60)))
    for data in (noise, b"\x67" + noise, valid[:kept] + noise):
        try:
            sps = parse_sps(data)
        except MediaError:
            continue
        assert sps.width > 0
        assert sps.height > 0
