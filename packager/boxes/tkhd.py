"""TrackHeaderBox (ISO/IEC 14496-12, 8.3.2), version 0."""

import struct

from media.configs import TrackConfig, VideoConfig
from packager.boxes import matrix
from packager.boxes.box import full_box

ENABLED = 1
IN_MOVIE = 2
IN_PREVIEW = 4
FULL_VOLUME = 0x100

# creation_time, modification_time, track_ID, reserved, duration, reserved, layer, alternate_group, volume,
# reserved.
_TRACK = struct.Struct(">III4xI8xHHH2x")
_SIZE = struct.Struct(">II")


def encode(config: TrackConfig, track_id: int) -> bytes:
    """Width and height are the displayed picture's, with square samples, in 16.16 fixed point."""
    if isinstance(config, VideoConfig):
        volume = 0
        size = _SIZE.pack(round(config.width * config.sample_aspect_ratio * 0x10000), config.height << 16)
    else:
        volume = FULL_VOLUME
        size = _SIZE.pack(0, 0)
    track = _TRACK.pack(0, 0, track_id, 0, 0, 0, volume)
    return full_box(b"tkhd", 0, ENABLED | IN_MOVIE | IN_PREVIEW, track, matrix.UNITY, size)
