"""The codec configuration of a track, from which its init segment and playlists are made.

The modules of :mod:`media.codecs` parse it from the broadcaster's or an encoder's records.
"""

from dataclasses import dataclass
from fractions import Fraction

from media.units import VIDEO_TIMESCALE, Codec, Kind


@dataclass(frozen=True, slots=True)
class Colour:
    """Colour description, code points of ISO/IEC 23091-2 (H.264 VUI 7.3.2.1.1, ``colr`` box ``nclx``)."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


@dataclass(frozen=True, slots=True)
class VideoConfig:
    """``record`` is the codec's decoder configuration record, as the sample entry carries it (for H.264 the
    AVCDecoderConfigurationRecord, with NAL lengths of 4 bytes). ``codec_string`` follows RFC 6381.

    ``width`` and ``height`` are luma samples after cropping; ``frame_rate`` is None if the stream does not
    contain it. ``chroma_format_idc`` is 0 for monochrome, then 4:2:0, 4:2:2 and 4:4:4 (H.264, Table 6-1);
    ``bit_depth`` is the larger one of luma and chroma.
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
    chroma_format_idc: int = 1
    bit_depth: int = 8

    @property
    def kind(self) -> Kind:
        return Kind.VIDEO

    @property
    def plays_everywhere(self) -> bool:
        """Whether the format of its samples is the one that all players decode: 4:2:0 with 8 bits."""
        return self.chroma_format_idc <= 1 and self.bit_depth == 8

    @property
    def timescale(self) -> int:
        return VIDEO_TIMESCALE


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """``record`` is the codec's decoder configuration record (for AAC the AudioSpecificConfig); empty if the codec
    has none. ``codec_string`` follows RFC 6381.

    ``sample_rate`` is the rate of the decoder's output and the track's timescale; ``frame_samples`` is the duration
    of an access unit in those samples (1024 for AAC-LC, 2048 for HE-AAC that signals SBR explicitly).
    """

    codec: Codec
    record: bytes
    codec_string: str
    sample_rate: int
    channels: int
    frame_samples: int

    @property
    def kind(self) -> Kind:
        return Kind.AUDIO

    @property
    def timescale(self) -> int:
        return self.sample_rate


TrackConfig = VideoConfig | AudioConfig
