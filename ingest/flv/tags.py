"""The contents of FLV tag bodies. They are named tuples for speed, because each frame makes one."""

from typing import NamedTuple

from media.units import Codec


class SequenceHeader(NamedTuple):
    """A codec's decoder configuration record."""

    codec: Codec
    record: bytes


class VideoFrame(NamedTuple):
    """``composition_ms`` is presentation minus decoding time; ``key`` is the tag's keyframe flag."""

    codec: Codec
    key: bool
    composition_ms: int
    data: bytes


class AudioFrame(NamedTuple):
    codec: Codec
    data: bytes


class NoMedia(NamedTuple):
    """A valid tag without a frame: the end of a sequence, a seek mark, colour information."""


NO_MEDIA = NoMedia()
