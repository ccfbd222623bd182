"""Box and FullBox (ISO/IEC 14496-12, 4.2): a size, a type of four characters, and contents."""

import struct

HEADER_SIZE = 8

_BOX = struct.Struct(">I4s")
_FULL_BOX = struct.Struct(">I4sI")


def header(kind: bytes, size: int) -> bytes:
    """The header of a box that is ``size`` bytes long, header included."""
    return _BOX.pack(size, kind)


def box(kind: bytes, *contents: bytes) -> bytes:
    return b"".join((_BOX.pack(_BOX.size + sum(map(len, contents)), kind), *contents))


def full_box(kind: bytes, version: int, flags: int, *contents: bytes) -> bytes:
    size = _FULL_BOX.size + sum(map(len, contents))
    return b"".join((_FULL_BOX.pack(size, kind, version << 24 | flags), *contents))
