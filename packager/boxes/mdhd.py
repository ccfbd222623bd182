"""MediaHeaderBox (ISO/IEC 14496-12, 8.4.2), version 0; duration 0, language undetermined."""

import struct

from packager.boxes.box import full_box

# "und" (ISO 639-2/T), each letter less 0x60 in five bits.
UNDETERMINED = 0x55C4

# creation_time, modification_time, timescale, duration, language, pre_defined.
_MEDIA = struct.Struct(">IIIIH2x")


def encode(timescale: int) -> bytes:
    return full_box(b"mdhd", 0, 0, _MEDIA.pack(0, 0, timescale, 0, UNDETERMINED))
