"""AVCConfigurationBox (ISO/IEC 14496-15, 5.4.2.1)."""

from packager.boxes.box import box


def encode(record: bytes) -> bytes:
    """``record`` is an AVCDecoderConfigurationRecord."""
    return box(b"avcC", record)
