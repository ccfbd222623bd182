"""Multivariant playlists as values (draft-pantos-hls-rfc8216bis, 4.4.6)."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from packager.hls.media import StartPoint


class VideoRange(StrEnum):
    SDR = "SDR"
    HLG = "HLG"
    PQ = "PQ"


@dataclass(frozen=True, slots=True)
class AudioRendition:
    """EXT-X-MEDIA of type AUDIO (4.4.6.1). ``language`` is an RFC 5646 tag."""

    group_id: str
    name: str
    uri: str | None = None
    default: bool = False
    autoselect: bool = False
    language: str | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """EXT-X-STREAM-INF (4.4.6.2) and its URI. Bit rates are bits per second, ``resolution`` is (width, height).

    ``audio`` is the GROUP-ID of its audio renditions. A variant without ``resolution`` is audio-only.
    """

    uri: str
    bandwidth: int
    codecs: tuple[str, ...]
    average_bandwidth: int | None = None
    resolution: tuple[int, int] | None = None
    frame_rate: Fraction | None = None
    video_range: VideoRange | None = None
    audio: str | None = None


@dataclass(frozen=True, slots=True)
class MultivariantPlaylist:
    """A Multivariant Playlist: variants in order of preference, and the audio renditions that they refer to."""

    variants: tuple[Variant, ...]
    audio: tuple[AudioRendition, ...] = ()
    independent_segments: bool = False
    start: StartPoint | None = None
