"""Codec configuration of a track, as the rest of Headwater needs it: what an init segment and a playlist say.

:mod:`media.h264` and :mod:`media.aac` make these values from the broadcaster's or an encoder's own records.
"""

from dataclasses import dataclass
from fractions import Fraction

from media.units import VIDEO_TIMESCALE, Codec


@dataclass(frozen=True, slots=True)
class Colour:
    """Colour description, code points of ISO/IEC 23091-2 (H.264 VUI 7.3.2.1.1, ``colr`` box ``nclx``)."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


@dataclass(frozen=True, slots=True)
class VideoConfig:
    """``record`` is the AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1), NAL length size always 4.

    ``width`` and ``height`` are luma samples after cropping; ``frame_rate`` is None where the stream does not say.
    """

    codec: Codec
    record: bytes
    codec_string: str
    width: int
    height: int
    sample_aspect_ratio: Fraction = Fraction(1)
    frame_rate: Fraction | None = None
    colour: Colour | None = None
    interlaced: bool = False

    @property
    def timescale(self) -> int:
        return VIDEO_TIMESCALE


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """``record`` is the AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1); empty for MP3.

    ``sample_rate`` is the rate the decoder puts out and the track's timescale; ``frame_samples`` is how many of
    those samples one access unit lasts (1024 for AAC-LC, 2048 for HE-AAC that signals SBR explicitly).
    """

    codec: Codec
    record: bytes
    codec_string: str
    sample_rate: int
    channels: int
    frame_samples: int

    @property
    def timescale(self) -> int:
        return self.sample_rate


TrackConfig = VideoConfig | AudioConfig
