"""Writes sequence parameter sets field by field: the inverse of :mod:`media.codecs.h264.sps`."""

from dataclasses import dataclass

from media.bits import BitWriter
from media.configs import Colour


@dataclass(frozen=True)
class SpsFields:
    profile_idc: int = 100
    constraint_flags: int = 0
    level_idc: int = 31
    chroma_format_idc: int = 1
    separate_planes: bool = False
    bit_depth_luma: int = 8
    bit_depth_chroma: int = 8
    # Each scaling list: None (not present), or its deltas.
    scaling_lists: tuple[tuple[int, ...] | None, ...] | None = None
    pic_order_cnt_type: int = 0
    order_offsets: tuple[int, ...] = ()
    width_in_mbs: int = 80
    height_in_map_units: int = 45
    frame_mbs_only: bool = True
    crop: tuple[int, int, int, int] | None = None
    vui: bool = True
    aspect_ratio_idc: int | None = None
    extended_sar: tuple[int, int] = (0, 0)
    full_range: bool | None = None
    colour: Colour | None = None
    chroma_location: bool = False
    timing: tuple[int, int] | None = None


def nal_unit(fields: SpsFields, *, high_profile: bool = True) -> bytes:
    bits = BitWriter()
    bits.write(0x67, 8)
    bits.write(fields.profile_idc, 8)
    bits.write(fields.constraint_flags, 8)
    bits.write(fields.level_idc, 8)
    bits.ue(0)
    if high_profile:
        bits.ue(fields.chroma_format_idc)
        if fields.chroma_format_idc == 3:
            bits.flag(fields.separate_planes)
        bits.ue(fields.bit_depth_luma - 8)
        bits.ue(fields.bit_depth_chroma - 8)
        bits.flag(False)
        _write_scaling_matrix(bits, fields)
    bits.ue(4)
    bits.ue(fields.pic_order_cnt_type)
    if fields.pic_order_cnt_type == 0:
        bits.ue(4)
    elif fields.pic_order_cnt_type == 1:
        bits.flag(False)
        bits.se(-3)
        bits.se(4)
        bits.ue(len(fields.order_offsets))
        for offset in fields.order_offsets:
            bits.se(offset)
    bits.ue(3)
    bits.flag(False)
    bits.ue(fields.width_in_mbs - 1)
    bits.ue(fields.height_in_map_units - 1)
    bits.flag(fields.frame_mbs_only)
    if not fields.frame_mbs_only:
        bits.flag(True)
    bits.flag(True)
    bits.flag(fields.crop is not None)
    for edge in fields.crop or ():
        bits.ue(edge)
    bits.flag(fields.vui)
    if fields.vui:
        _write_vui(bits, fields)
    bits.flag(True)
    return add_emulation_prevention(bits.to_bytes())


def add_emulation_prevention(raw: bytes) -> bytes:
    """ITU-T H.264, 7.4.1.1: no two zero bytes are followed by a byte below 4."""
    out = bytearray()
    zeros = 0
    for byte in raw:
        if zeros == 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def _write_scaling_matrix(bits: BitWriter, fields: SpsFields) -> None:
    bits.flag(fields.scaling_lists is not None)
    for deltas in fields.scaling_lists or ():
        bits.flag(deltas is not None)
        for delta in deltas or ():
            bits.se(delta)


def _write_vui(bits: BitWriter, fields: SpsFields) -> None:
    bits.flag(fields.aspect_ratio_idc is not None)
    if fields.aspect_ratio_idc is not None:
        bits.write(fields.aspect_ratio_idc, 8)
        if fields.aspect_ratio_idc == 255:
            for side in fields.extended_sar:
                bits.write(side, 16)
    bits.flag(True)
    bits.flag(True)  # overscan
    bits.flag(fields.full_range is not None)
    if fields.full_range is not None:
        bits.write(5, 3)
        bits.flag(fields.full_range)
        bits.flag(fields.colour is not None)
        if fields.colour is not None:
            for code in (fields.colour.primaries, fields.colour.transfer, fields.colour.matrix):
                bits.write(code, 8)
    bits.flag(fields.chroma_location)
    if fields.chroma_location:
        bits.ue(1)
        bits.ue(2)
    bits.flag(fields.timing is not None)
    if fields.timing is not None:
        for ticks in fields.timing:
            bits.write(ticks, 32)
        bits.flag(True)
    bits.write(0, 4)  # HRD, pic_struct, bitstream restriction: absent
