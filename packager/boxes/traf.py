"""TrackFragmentBox (ISO/IEC 14496-12, 8.8.6)."""

from packager.boxes.box import box


def encode(tfhd: bytes, tfdt: bytes, trun: bytes) -> bytes:
    return box(b"traf", tfhd, tfdt, trun)
