"""BitRateBox (ISO/IEC 14496-12, 8.5.2.2)."""

import struct

from packager.boxes.box import box
from packager.cmaf.bitrate import TrackBitrate

BUFFER_SIZE_UNKNOWN = 0

_BITRATE = struct.Struct(">III")


def encode(bitrate: TrackBitrate) -> bytes:
    return box(b"btrt", _BITRATE.pack(BUFFER_SIZE_UNKNOWN, bitrate.max_bps, bitrate.avg_bps))
