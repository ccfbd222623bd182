"""The codecs that Headwater carries. A new codec adds a module beside this one and a line here."""

from media.codecs.aac import AAC
from media.codecs.descriptor import AudioCodec, VideoCodec
from media.codecs.h264 import H264
from media.codecs.mp3 import MP3
from media.errors import UnsupportedConfig
from media.units import Codec

VIDEO_CODECS: dict[Codec, VideoCodec] = {descriptor.codec: descriptor for descriptor in (H264,)}
AUDIO_CODECS: dict[Codec, AudioCodec] = {descriptor.codec: descriptor for descriptor in (AAC, MP3)}


def codec(name: Codec) -> VideoCodec | AudioCodec:
    """Raises UnsupportedConfig."""
    descriptor = VIDEO_CODECS.get(name) or AUDIO_CODECS.get(name)
    if descriptor is None:
        raise UnsupportedConfig(f"{name!r:.40} is not a codec that Headwater carries")
    return descriptor


def video_codec(name: Codec) -> VideoCodec:
    """Raises UnsupportedConfig."""
    descriptor = VIDEO_CODECS.get(name)
    if descriptor is None:
        raise UnsupportedConfig(f"{name!r:.40} is not a video codec that Headwater carries")
    return descriptor


def audio_codec(name: Codec) -> AudioCodec:
    """Raises UnsupportedConfig."""
    descriptor = AUDIO_CODECS.get(name)
    if descriptor is None:
        raise UnsupportedConfig(f"{name!r:.40} is not an audio codec that Headwater carries")
    return descriptor
