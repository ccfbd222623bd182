"""Access units: the frames on their way from the broadcaster to the packager."""

from enum import StrEnum
from typing import ClassVar, NamedTuple

VIDEO_TIMESCALE = 90_000


class Kind(StrEnum):
    VIDEO = "video"
    AUDIO = "audio"
    DATA = "data"
    TEXT = "text"


class Codec(str):
    """The name of a codec, as in the API. The table in :mod:`media.codecs` lists the supported codecs.

    A new codec's module may define its own name. The names below are used in the tables of several packages.
    """

    __slots__ = ()

    H264: ClassVar["Codec"]
    AAC: ClassVar["Codec"]
    MP3: ClassVar["Codec"]


Codec.H264 = Codec("h264")
Codec.AAC = Codec("aac")
Codec.MP3 = Codec("mp3")


class AccessUnit(NamedTuple):
    """One encoded frame. It is a named tuple for speed, because each frame makes one.

    ``dts`` and ``cts`` (composition offset: presentation minus decoding time, may be negative) are ticks of the
    track's timescale: 90 000 for video, the sample rate for audio. ``payload`` is in the format of MP4 samples.
    ``track`` counts the tracks of this kind from 0, as the track ids of Enhanced RTMP do.
    """

    kind: Kind
    dts: int
    cts: int
    key: bool
    payload: bytes
    track: int = 0

    @property
    def pts(self) -> int:
        return self.dts + self.cts
