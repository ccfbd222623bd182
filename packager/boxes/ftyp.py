"""FileTypeBox (ISO/IEC 14496-12, 4.3): the brands of a CMAF header."""

from packager.boxes.box import box

# CMAF tracks (ISO/IEC 23000-19, 7.2): cmf2 is cmfc without an edit list, with defaults in every fragment.
BRANDS = (b"cmf2", b"cmfc", b"iso6")
MINOR_VERSION = b"\x00\x00\x00\x00"


def encode() -> bytes:
    return box(b"ftyp", BRANDS[0], MINOR_VERSION, *BRANDS)
