"""Access units: the frames that travel from the broadcaster to the packager."""

from enum import StrEnum
from typing import ClassVar, NamedTuple

VIDEO_TIMESCALE = 90_000


class Kind(StrEnum):
    VIDEO = "video"
    AUDIO = "audio"
    DATA = "data"
    TEXT = "text"


class Codec(str):
    """The name of a codec, as the API shows it. The table in :mod:`media.codecs` lists those that are carried.

    The set is open: a new codec's own file can make its name. Those below are used by several packages' tables.
    """

    __slots__ = ()

    H264: ClassVar["Codec"]
    AAC: ClassVar["Codec"]
    MP3: ClassVar["Codec"]


Codec.H264 = Codec("h264")
Codec.AAC = Codec("aac")
Codec.MP3 = Codec("mp3")


class AccessUnit(NamedTuple):
    """One frame as the encoder made it. A named tuple, because one is made for every frame.

    ``dts`` and ``cts`` (composition offset: presentation minus decoding time, may be negative) are ticks of the
    track's timescale: 90 000 for video, the sample rate for audio. ``payload`` is in the form in which MP4 stores
    it. ``track`` counts the tracks of this kind from 0, as the track ids of Enhanced RTMP do.
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
