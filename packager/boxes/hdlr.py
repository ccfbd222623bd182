"""HandlerBox (ISO/IEC 14496-12, 8.4.3): the kind of a track's media."""

import struct

from media.configs import TrackConfig
from media.units import Kind
from packager.boxes.box import full_box

# pre_defined, handler_type, reserved.
_HANDLER = struct.Struct(">4x4s12x")

# handler_type and name.
HANDLERS = {Kind.VIDEO: (b"vide", b"Video\x00"), Kind.AUDIO: (b"soun", b"Audio\x00")}


def encode(config: TrackConfig) -> bytes:
    handler_type, name = HANDLERS[config.kind]
    return full_box(b"hdlr", 0, 0, _HANDLER.pack(handler_type), name)
