"""DataReferenceBox (ISO/IEC 14496-12, 8.7.2): with one entry: the media is in this file."""

from packager.boxes.box import full_box

ENTRY_COUNT = b"\x00\x00\x00\x01"
SELF_CONTAINED = 1


def encode() -> bytes:
    return full_box(b"dref", 0, 0, ENTRY_COUNT, full_box(b"url ", 0, SELF_CONTAINED))
