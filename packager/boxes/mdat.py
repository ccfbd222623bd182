"""MediaDataBox (ISO/IEC 14496-12, 8.1.1); only its header, so that a fragment copies the contents once."""

from packager.boxes import box


def header(size: int) -> bytes:
    """The header of the box that holds ``size`` bytes of samples."""
    return box.header(b"mdat", box.HEADER_SIZE + size)
