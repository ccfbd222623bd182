"""MovieFragmentHeaderBox (ISO/IEC 14496-12, 8.8.5)."""

import struct

from packager.boxes.fields import Fields

SIZE = 16

_BOX = struct.Struct(">I4sII")


def encode(sequence_number: int) -> bytes:
    return _BOX.pack(SIZE, b"mfhd", 0, sequence_number)


def parse(body: memoryview) -> int:
    """The sequence number."""
    fields = Fields("mfhd", body)
    sequence_number = fields.u32()
    fields.end()
    return sequence_number
