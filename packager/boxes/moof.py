"""MovieFragmentBox (ISO/IEC 14496-12, 8.8.4) of one track with one run."""

from packager.boxes.box import box


def encode(mfhd: bytes, traf: bytes) -> bytes:
    return box(b"moof", mfhd, traf)
