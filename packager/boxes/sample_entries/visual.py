"""VisualSampleEntry (ISO/IEC 14496-12, 12.1.3), which every video codec's sample entry extends."""

import struct

from media.configs import VideoConfig
from packager.boxes import btrt, colr, pasp
from packager.boxes.box import box
from packager.cmaf.bitrate import TrackBitrate

DATA_REFERENCE = 1
DPI_72 = 0x480000
FRAME_COUNT = 1
DEPTH = 24
PRE_DEFINED = -1

# reserved, data_reference_index, pre_defined and reserved, width, height, resolutions, reserved, frame_count,
# compressorname, depth, pre_defined.
_ENTRY = struct.Struct(">6xH16xHHII4xH32xHh")


def encode(kind: bytes, config: VideoConfig, bitrate: TrackBitrate | None, configuration: bytes) -> bytes:
    """``configuration`` is the codec's own box."""
    entry = _ENTRY.pack(
        DATA_REFERENCE, config.width, config.height, DPI_72, DPI_72, FRAME_COUNT, DEPTH, PRE_DEFINED
    )
    return box(
        kind,
        entry,
        configuration,
        colr.encode(config.colour) if config.colour else b"",
        pasp.encode(config.sample_aspect_ratio),
        btrt.encode(bitrate) if bitrate else b"",
    )
