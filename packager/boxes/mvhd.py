"""MovieHeaderBox (ISO/IEC 14496-12, 8.2.2), version 0; a fragmented movie's duration is 0."""

import struct

from packager.boxes import matrix
from packager.boxes.box import full_box

RATE = 0x10000
VOLUME = 0x100

# creation_time, modification_time, timescale, duration, rate, volume, reserved.
_TIMES = struct.Struct(">IIIIIH10x")
# pre_defined, next_track_ID.
_NEXT_TRACK = struct.Struct(">24xI")


def encode(timescale: int, next_track_id: int) -> bytes:
    times = _TIMES.pack(0, 0, timescale, 0, RATE, VOLUME)
    return full_box(b"mvhd", 0, 0, times, matrix.UNITY, _NEXT_TRACK.pack(next_track_id))
