"""Parses the ids of H.264 picture parameter sets (ITU-T H.264, 7.3.2.2)."""

from typing import NamedTuple

from media.bits import BitReader, remove_emulation_prevention
from media.errors import MalformedConfig

# The header byte and two exp-Golomb codes of at most 8 and 5 bits' value fit in this many bytes.
IDS_SIZE = 8
MAX_PPS_ID = 255
MAX_SPS_ID = 31


class PictureParameterSet(NamedTuple):
    parameter_set_id: int
    sps_id: int


def parse_pps(nal_unit: bytes) -> PictureParameterSet:
    """``nal_unit`` has its header byte. Raises MalformedConfig."""
    bits = BitReader(remove_emulation_prevention(nal_unit[:IDS_SIZE]))
    bits.skip(8)
    parameter_set_id, sps_id = bits.ue(), bits.ue()
    if parameter_set_id > MAX_PPS_ID or sps_id > MAX_SPS_ID:
        raise MalformedConfig(f"a picture parameter set has id {parameter_set_id} and refers to {sps_id}")
    return PictureParameterSet(parameter_set_id, sps_id)
