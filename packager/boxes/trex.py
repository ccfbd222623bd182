"""TrackExtendsBox (ISO/IEC 14496-12, 8.8.3); fragments carry every default themselves, as brand cmf2 requires."""

import struct

from packager.boxes.box import full_box

SAMPLE_DESCRIPTION = 1

# track_ID, default_sample_description_index, then duration, size and flags.
_DEFAULTS = struct.Struct(">II12x")


def encode(track_id: int) -> bytes:
    return full_box(b"trex", 0, 0, _DEFAULTS.pack(track_id, SAMPLE_DESCRIPTION))
