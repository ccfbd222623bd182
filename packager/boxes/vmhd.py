"""VideoMediaHeaderBox (ISO/IEC 14496-12, 12.1.2)."""

from packager.boxes.box import full_box

# graphicsmode copy, opcolor black.
COPY = bytes(8)


def encode() -> bytes:
    return full_box(b"vmhd", 0, 1, COPY)
