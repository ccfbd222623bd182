"""TrackFragmentBaseMediaDecodeTimeBox (ISO/IEC 14496-12, 8.8.12), written as version 1."""

import struct

from packager.boxes.fields import Fields

SIZE = 20
VERSION_1 = 1 << 24

_BOX = struct.Struct(">I4sIQ")


def encode(base_media_decode_time: int) -> bytes:
    return _BOX.pack(SIZE, b"tfdt", VERSION_1, base_media_decode_time)


def parse(body: memoryview) -> int:
    """The base media decode time, from both versions. Raises MalformedBox."""
    fields = Fields("tfdt", body)
    base_media_decode_time = fields.u64() if fields.version else fields.u32()
    fields.end()
    return base_media_decode_time
