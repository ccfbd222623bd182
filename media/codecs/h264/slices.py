"""Decides if a slice belongs to the same picture as an earlier one (ITU-T H.264, 7.4.1.2.4)."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from media.bits import BitReader, remove_emulation_prevention
from media.codecs.h264.configuration import record_sets
from media.codecs.h264.nal_units import NAL_IDR, NAL_TYPE, nal_units
from media.codecs.h264.pps import parse_pps
from media.codecs.h264.sps import SequenceParameterSet, parse_sps
from media.errors import MalformedConfig

# The NAL unit's header and the slice header up to frame_num are shorter, with emulation prevention.
HEADER_SIZE = 32
NAL_SLICE = 1
NAL_REF_IDC = 0x60


class SliceHeader(NamedTuple):
    """The fields that all slices of a picture share (7.4.1.2.4), after ``first_mb``, the slice's place in it."""

    first_mb: int
    pps_id: int
    frame_num: int
    idr: bool
    reference: bool


def picture_matcher(record: bytes) -> Callable[[bytes, bytes], bool]:
    """A function that takes a payload and a continuation, both with NAL lengths of 4 bytes. It returns whether the
    continuation belongs to the same picture, further down. Raises MalformedConfig."""
    sps_list, pps_list, _ = record_sets(record)
    parsed = [parse_sps(nal_unit) for nal_unit in sps_list]
    by_id = {sps.parameter_set_id: sps for sps in parsed}
    by_pps = {pps.parameter_set_id: by_id.get(pps.sps_id, parsed[0]) for pps in map(parse_pps, pps_list)}
    return partial(_continues, by_pps)


def _continues(by_pps: Mapping[int, SequenceParameterSet], payload: bytes, continuation: bytes) -> bool:
    earlier, later = list(_slices(payload)), next(_slices(continuation), None)
    if not earlier or later is None:
        return False
    try:
        before, after = _parse(by_pps, earlier[-1]), _parse(by_pps, later)
    except MalformedConfig:
        return False
    return before.first_mb < after.first_mb and before[1:] == after[1:]


def _slices(payload: bytes) -> Iterator[bytes]:
    return (nal_unit for nal_unit in nal_units(payload) if nal_unit[0] & NAL_TYPE in (NAL_SLICE, NAL_IDR))


def _parse(by_pps: Mapping[int, SequenceParameterSet], nal_unit: bytes) -> SliceHeader:
    """7.3.3. Raises MalformedConfig."""
    bits = BitReader(remove_emulation_prevention(nal_unit[:HEADER_SIZE]))
    bits.skip(8)
    first_mb = bits.ue()
    bits.ue()  # slice_type
    pps_id = bits.ue()
    sps = by_pps.get(pps_id)
    if sps is None:
        raise MalformedConfig(f"a slice refers to picture parameter set {pps_id}, which does not exist")
    if sps.separate_planes:
        bits.skip(2)  # colour_plane_id
    frame_num = bits.read(sps.frame_num_bits)
    header = nal_unit[0]
    return SliceHeader(first_mb, pps_id, frame_num, header & NAL_TYPE == NAL_IDR, bool(header & NAL_REF_IDC))
