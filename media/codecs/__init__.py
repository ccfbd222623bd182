"""Codecs: one module for each, described by the values of :mod:`media.codecs.descriptor` and looked up by name."""

from media.codecs.descriptor import AudioCodec, VideoCodec
from media.codecs.table import AUDIO_CODECS, VIDEO_CODECS, audio_codec, codec, video_codec

__all__ = ["AUDIO_CODECS", "VIDEO_CODECS", "AudioCodec", "VideoCodec", "audio_codec", "codec", "video_codec"]
