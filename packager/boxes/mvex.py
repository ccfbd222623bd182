"""MovieExtendsBox (ISO/IEC 14496-12, 8.8.1): the movie's samples are in fragments."""

from packager.boxes import trex
from packager.boxes.box import box


def encode(track_id: int) -> bytes:
    return box(b"mvex", trex.encode(track_id))
