"""ColourInformationBox (ISO/IEC 14496-12, 12.1.5) of type nclx."""

import struct

from media.configs import Colour
from packager.boxes.box import box

FULL_RANGE = 0x80

# colour_type, colour_primaries, transfer_characteristics, matrix_coefficients, full_range_flag.
_NCLX = struct.Struct(">4sHHHB")


def encode(colour: Colour) -> bytes:
    full_range = FULL_RANGE if colour.full_range else 0
    return box(b"colr", _NCLX.pack(b"nclx", colour.primaries, colour.transfer, colour.matrix, full_range))
