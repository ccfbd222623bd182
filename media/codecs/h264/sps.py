"""Parses the needed fields of H.264 sequence parameter sets (ITU-T H.264, 7.3.2.1.1) and their VUI (Annex E)."""

from dataclasses import dataclass
from fractions import Fraction

from media.bits import BitReader, remove_emulation_prevention
from media.codecs.h264.nal_units import NAL_SPS
from media.configs import Colour
from media.errors import MalformedConfig

# Profiles whose parameter sets carry chroma format, bit depth and scaling matrices (7.3.2.1.1).
HIGH_PROFILES = frozenset((44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244))

# Level 6.2: sqrt(8 * MaxFS) macroblocks either way (A.3.1).
MAX_MACROBLOCKS = 1055

# SubWidthC and SubHeightC by chroma_format_idc (Table 6-1); monochrome crops in luma samples.
CHROMA_SUBSAMPLING = ((1, 1), (2, 2), (2, 1), (1, 1))

# Table E-1; 0 is unspecified, 255 is followed by width and height.
SAMPLE_ASPECT_RATIOS = (
    *((1, 1), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11)),
    *((80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1)),
)
EXTENDED_SAR = 255
UNSPECIFIED = 2

# Encoders with a variable frame rate write the ticks of their clock here; no camera's rate is outside this range.
FRAME_RATES = (Fraction(1), Fraction(300))


@dataclass(frozen=True, slots=True)
class SequenceParameterSet:
    """``constraint_flags`` is the byte between profile and level; sizes are luma samples after cropping, and
    ``coded_pixels`` the luma samples before it.

    ``frame_num_bits`` is the size of frame_num in slice headers; ``separate_planes`` is separate_colour_plane_flag.
    """

    profile_idc: int
    constraint_flags: int
    level_idc: int
    parameter_set_id: int
    frame_num_bits: int
    separate_planes: bool
    chroma_format_idc: int
    bit_depth_luma: int
    bit_depth_chroma: int
    width: int
    height: int
    coded_pixels: int
    interlaced: bool
    sample_aspect_ratio: Fraction
    colour: Colour | None
    frame_rate: Fraction | None


@dataclass(frozen=True, slots=True)
class _Vui:
    sample_aspect_ratio: Fraction = Fraction(1)
    colour: Colour | None = None
    frame_rate: Fraction | None = None


def parse_sps(nal_unit: bytes) -> SequenceParameterSet:
    """``nal_unit`` has its header byte and its emulation prevention bytes. Raises MalformedConfig."""
    bits = BitReader(remove_emulation_prevention(nal_unit))
    if bits.read(8) & 0x9F != NAL_SPS:
        raise MalformedConfig("a sequence parameter set is not the NAL unit type 7")
    profile_idc = bits.read(8)
    constraint_flags = bits.read(8)
    level_idc = bits.read(8)
    parameter_set_id = _read_up_to(bits, 31, "seq_parameter_set_id")
    chroma_format_idc, separate_planes, depth_luma, depth_chroma = 1, False, 8, 8
    if profile_idc in HIGH_PROFILES:
        chroma_format_idc = _read_up_to(bits, 3, "chroma_format_idc")
        if chroma_format_idc == 3:
            separate_planes = bits.flag()
        depth_luma = 8 + _read_up_to(bits, 6, "bit_depth_luma_minus8")
        depth_chroma = 8 + _read_up_to(bits, 6, "bit_depth_chroma_minus8")
        bits.skip(1)  # qpprime_y_zero_transform_bypass_flag
        if bits.flag():
            _skip_scaling_matrix(bits, 12 if chroma_format_idc == 3 else 8)
    frame_num_bits = 4 + _read_up_to(bits, 12, "log2_max_frame_num_minus4")
    _skip_picture_order(bits)
    bits.ue()  # max_num_ref_frames
    bits.skip(1)  # gaps_in_frame_num_value_allowed_flag
    width = 16 * (1 + _read_up_to(bits, MAX_MACROBLOCKS - 1, "pic_width_in_mbs_minus1"))
    map_units = 1 + _read_up_to(bits, MAX_MACROBLOCKS - 1, "pic_height_in_map_units_minus1")
    interlaced = not bits.flag()  # frame_mbs_only_flag
    fields = 2 if interlaced else 1
    height = 16 * map_units * fields
    coded_pixels = width * height
    if interlaced:
        bits.skip(1)  # mb_adaptive_frame_field_flag
    bits.skip(1)  # direct_8x8_inference_flag
    if bits.flag():
        unit_x, unit_y = (1, 1) if separate_planes else CHROMA_SUBSAMPLING[chroma_format_idc]
        width -= unit_x * (bits.ue() + bits.ue())
        height -= unit_y * fields * (bits.ue() + bits.ue())
    if width <= 0 or height <= 0:
        raise MalformedConfig("a sequence parameter set crops the whole picture away")
    vui = _read_vui(bits) if bits.flag() else _Vui()
    return SequenceParameterSet(
        profile_idc=profile_idc,
        constraint_flags=constraint_flags,
        level_idc=level_idc,
        parameter_set_id=parameter_set_id,
        frame_num_bits=frame_num_bits,
        separate_planes=separate_planes,
        chroma_format_idc=chroma_format_idc,
        bit_depth_luma=depth_luma,
        bit_depth_chroma=depth_chroma,
        width=width,
        height=height,
        coded_pixels=coded_pixels,
        interlaced=interlaced,
        sample_aspect_ratio=vui.sample_aspect_ratio,
        colour=vui.colour,
        frame_rate=vui.frame_rate,
    )


def _read_up_to(bits: BitReader, limit: int, name: str) -> int:
    value = bits.ue()
    if value > limit:
        raise MalformedConfig(f"{name} is {value}; at most {limit} is possible")
    return value


def _skip_scaling_matrix(bits: BitReader, lists: int) -> None:
    for index in range(lists):
        if bits.flag():
            _skip_scaling_list(bits, 16 if index < 6 else 64)


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    """7.3.2.1.1.1: a scale of 0 ends the list."""
    scale = 8
    for _ in range(size):
        scale = (scale + bits.se()) % 256
        if scale == 0:
            return


def _skip_picture_order(bits: BitReader) -> None:
    kind = _read_up_to(bits, 2, "pic_order_cnt_type")
    if kind == 0:
        _read_up_to(bits, 12, "log2_max_pic_order_cnt_lsb_minus4")
    elif kind == 1:
        bits.skip(1)  # delta_pic_order_always_zero_flag
        bits.se()  # offset_for_non_ref_pic
        bits.se()  # offset_for_top_to_bottom_field
        for _ in range(_read_up_to(bits, 255, "num_ref_frames_in_pic_order_cnt_cycle")):
            bits.se()


def _read_vui(bits: BitReader) -> _Vui:
    """The VUI up to its timing (E.1.1); only decoders need the rest."""
    sample_aspect_ratio = _read_sample_aspect_ratio(bits) if bits.flag() else Fraction(1)
    if bits.flag():  # overscan_info_present_flag
        bits.skip(1)
    colour = _read_colour(bits) if bits.flag() else None
    if bits.flag():  # chroma_loc_info_present_flag
        bits.ue()
        bits.ue()
    frame_rate = _read_frame_rate(bits) if bits.flag() else None
    return _Vui(sample_aspect_ratio, colour, frame_rate)


def _read_sample_aspect_ratio(bits: BitReader) -> Fraction:
    index = bits.read(8)
    if index == EXTENDED_SAR:
        width, height = bits.read(16), bits.read(16)
    else:
        width, height = SAMPLE_ASPECT_RATIOS[index] if index < len(SAMPLE_ASPECT_RATIOS) else (0, 0)
    return Fraction(width, height) if width and height else Fraction(1)


def _read_colour(bits: BitReader) -> Colour | None:
    bits.skip(3)  # video_format
    full_range = bits.flag()
    if bits.flag():
        return Colour(bits.read(8), bits.read(8), bits.read(8), full_range)
    return Colour(UNSPECIFIED, UNSPECIFIED, UNSPECIFIED, True) if full_range else None


def _read_frame_rate(bits: BitReader) -> Fraction | None:
    units_in_tick, time_scale = bits.read(32), bits.read(32)
    bits.skip(1)  # fixed_frame_rate_flag: encoders clear it on steady streams too
    if not units_in_tick:
        return None
    rate = Fraction(time_scale, 2 * units_in_tick)
    return rate if FRAME_RATES[0] <= rate <= FRAME_RATES[1] else None
