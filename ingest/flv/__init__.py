"""FLV tag bodies, which are what RTMP's audio and video messages carry."""

from ingest.flv.audio import parse_audio_tag
from ingest.flv.errors import FlvError, OddFrame, UnsupportedCodec
from ingest.flv.video import parse_video_tag

__all__ = ["FlvError", "OddFrame", "UnsupportedCodec", "parse_audio_tag", "parse_video_tag"]
