"""SampleToChunkBox (ISO/IEC 14496-12, 8.7.4), empty: the samples are in fragments."""

from packager.boxes.box import full_box

ENTRY_COUNT = bytes(4)


def encode() -> bytes:
    return full_box(b"stsc", 0, 0, ENTRY_COUNT)
