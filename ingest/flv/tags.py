"""What a tag's body turns out to be. Named tuples, because one is made for every frame."""

from typing import NamedTuple

from media.units import Codec


class SequenceHeader(NamedTuple):
    """The decoder's configuration: an AVCDecoderConfigurationRecord or an AudioSpecificConfig."""

    codec: Codec
    record: bytes


class VideoFrame(NamedTuple):
    """``composition_ms`` is presentation minus decoding time; ``key`` is what the tag says."""

    key: bool
    composition_ms: int
    data: bytes


class AudioFrame(NamedTuple):
    codec: Codec
    data: bytes


class NoMedia(NamedTuple):
    """A tag that rightly carries no frame: the end of a sequence, a seek mark, colour information."""


NO_MEDIA = NoMedia()
