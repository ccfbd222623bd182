"""SoundMediaHeaderBox (ISO/IEC 14496-12, 12.2.2)."""

from packager.boxes.box import full_box

# balance, reserved.
CENTRE = bytes(4)


def encode() -> bytes:
    return full_box(b"smhd", 0, 0, CENTRE)
