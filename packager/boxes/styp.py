"""SegmentTypeBox (ISO/IEC 14496-12, 8.16.2): the brands of a segment, in front of its first chunk."""

from packager.boxes.box import box

# DASH media segment; CMAF segment and, for its first bytes alone, CMAF chunk (ISO/IEC 23000-19, 7.2).
BRANDS = (b"msdh", b"cmfs", b"cmfl", b"iso6")
MINOR_VERSION = b"\x00\x00\x00\x00"


def encode() -> bytes:
    return box(b"styp", BRANDS[0], MINOR_VERSION, *BRANDS)
