"""FLV tag bodies, which RTMP's audio and video messages contain."""

from ingest.flv.audio import parse_audio_tag
from ingest.flv.errors import FlvError, OddFrame, UnsupportedCodec
from ingest.flv.video import parse_video_tag

__all__ = ["FlvError", "OddFrame", "UnsupportedCodec", "parse_audio_tag", "parse_video_tag"]
