"""HandlerBox (ISO/IEC 14496-12, 8.4.3): what kind of media a track is."""

import struct

from media.configs import TrackConfig, VideoConfig
from packager.boxes.box import full_box

# pre_defined, handler_type, reserved.
_HANDLER = struct.Struct(">4x4s12x")


def encode(config: TrackConfig) -> bytes:
    kind, name = (b"vide", b"Video\x00") if isinstance(config, VideoConfig) else (b"soun", b"Audio\x00")
    return full_box(b"hdlr", 0, 0, _HANDLER.pack(kind), name)
