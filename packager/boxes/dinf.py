"""DataInformationBox (ISO/IEC 14496-12, 8.7.1)."""

from packager.boxes import dref
from packager.boxes.box import box


def encode() -> bytes:
    return box(b"dinf", dref.encode())
