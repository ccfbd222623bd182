"""NAL units in the format of MP4 and FLV: each after its length (ISO/IEC 14496-15, 5.2.3).

Encoders produce Annex B instead: NAL units after start codes (ITU-T H.264, B.1).
"""

import struct
from collections.abc import Iterator, Sequence

from media.errors import MalformedConfig, TooManyNalUnits

NAL_SLICE = 1
NAL_IDR = 5
NAL_SEI = 6
NAL_SPS = 7
NAL_PPS = 8
NAL_ACCESS_UNIT_DELIMITER = 9
NAL_SPS_EXTENSION = 13
NAL_TYPE = 0x1F

START_CODE = b"\x00\x00\x00\x01"
LENGTH_SIZE = 4

# A picture has at most 1024 slices (Table A-1), and some SEI messages and parameter sets.
MAX_NAL_UNITS = 2048

_LENGTH = struct.Struct(">I")


def nal_units(payload: bytes, size: int = LENGTH_SIZE) -> Iterator[bytes]:
    """The NAL units of ``payload`` (lengths of ``size`` bytes), empty ones left out.

    Raises MalformedConfig, TooManyNalUnits.
    """
    position, end = 0, len(payload)
    left = MAX_NAL_UNITS
    while position < end:
        left -= 1
        if left < 0:
            raise too_many()
        start = position + size
        position = start + int.from_bytes(payload[position:start], "big")
        if position > end or start > end:
            raise MalformedConfig("a NAL unit is longer than its access unit")
        if position > start:
            yield payload[start:position]


def with_lengths(units: Iterator[bytes] | Sequence[bytes]) -> bytes:
    """NAL units as a payload, with lengths of 4 bytes."""
    return b"".join(_LENGTH.pack(len(nal_unit)) + nal_unit for nal_unit in units)


def begins_with_start_code(data: bytes) -> bool:
    return data.startswith((START_CODE, START_CODE[1:]))


def annexb_nal_units(data: bytes) -> list[bytes]:
    """The NAL units between the start codes, of 3 or 4 bytes, of an Annex B byte stream.

    Raises MalformedConfig, TooManyNalUnits.
    """
    # No NAL unit ends in a zero byte (7.4.1): zeros at a piece's end belong to the next start code.
    leading, *pieces = data.split(START_CODE[1:], MAX_NAL_UNITS + 1)
    if len(pieces) > MAX_NAL_UNITS:
        raise too_many()
    if leading.strip(b"\x00"):
        raise MalformedConfig("H.264 data does not begin with a start code")
    return [nal_unit for piece in pieces if (nal_unit := piece.rstrip(b"\x00"))]


def annexb_to_lengths(data: bytes) -> bytes:
    """An Annex B access unit as a payload with 4-byte lengths. Raises MalformedConfig, TooManyNalUnits."""
    return with_lengths(annexb_nal_units(data))


def too_many() -> TooManyNalUnits:
    return TooManyNalUnits(
        f"a picture has more than {MAX_NAL_UNITS} NAL units: use fewer slices, or choose another encoder; in OBS: "
        "Settings, Output, Video Encoder"
    )
