"""What viewers see while a broadcast waits for its publisher."""

from enum import StrEnum


class SlateMode(StrEnum):
    """``OFF``: players wait at the last picture. As media that goes on, ``LAST_FRAME`` is the last keyframe, and
    ``IMAGE`` the operator's image."""

    OFF = "off"
    LAST_FRAME = "last-frame"
    IMAGE = "image"
