"""Access units: the frames that travel from the broadcaster to the packager."""

from enum import StrEnum
from typing import NamedTuple

VIDEO_TIMESCALE = 90_000


class Kind(StrEnum):
    VIDEO = "video"
    AUDIO = "audio"


class Codec(StrEnum):
    H264 = "h264"
    AAC = "aac"
    MP3 = "mp3"


class AccessUnit(NamedTuple):
    """One frame as the encoder made it. A named tuple, because one is made for every frame.

    ``dts`` and ``cts`` (composition offset: presentation minus decoding time, may be negative) are ticks of the
    track's timescale: 90 000 for video, the sample rate for audio. ``payload`` is H.264 as length-prefixed NAL
    units (4-byte lengths, ISO/IEC 14496-15), AAC as one raw_data_block, MP3 as one frame with its header.
    """

    kind: Kind
    dts: int
    cts: int
    key: bool
    payload: bytes

    @property
    def pts(self) -> int:
        return self.dts + self.cts
