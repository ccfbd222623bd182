"""PixelAspectRatioBox (ISO/IEC 14496-12, 12.1.4)."""

import struct
from fractions import Fraction

from packager.boxes.box import box

_SPACING = struct.Struct(">II")


def encode(sample_aspect_ratio: Fraction) -> bytes:
    return box(b"pasp", _SPACING.pack(sample_aspect_ratio.numerator, sample_aspect_ratio.denominator))
