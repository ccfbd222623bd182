"""Converts a random access point to a JPEG."""

from fractions import Fraction

import av
from av import VideoFrame
from av.error import FFmpegError

from media.configs import VideoConfig
from media.limits import MAX_PIXELS
from media.units import AccessUnit
from transcoder.errors import DecoderUnavailable
from transcoder.worker.decoders import open_video_decoder
from transcoder.worker.times import VIDEO_TIME_BASE

MAX_WIDTH = 640
MAX_HEIGHT = 640
QUALITY = 5


def picture(config: VideoConfig, unit: AccessUnit, max_pixels: int = MAX_PIXELS) -> bytes:
    """A JPEG with square samples, at most 640 wide and high; empty if the unit cannot be decoded."""
    try:
        frame = _decode(config, unit, max_pixels)
        return b"" if frame is None else _jpeg(frame, config.sample_aspect_ratio)
    except (FFmpegError, DecoderUnavailable, MemoryError, ValueError):
        return b""


def thumbnail_size(width: int, height: int, sample_aspect_ratio: Fraction) -> tuple[int, int]:
    """The thumbnail's size in square samples: even, and never larger than the picture."""
    shown = width * sample_aspect_ratio
    scale = min(Fraction(1), MAX_WIDTH / shown, Fraction(MAX_HEIGHT, height))
    return max(2, 2 * round(shown * scale / 2)), max(2, 2 * round(height * scale / 2))


def _decode(config: VideoConfig, unit: AccessUnit, max_pixels: int) -> VideoFrame | None:
    decoder = open_video_decoder(config, max_pixels)
    decoder.thread_count = 1
    frames = [*decoder.decode(av.Packet(unit.payload)), *decoder.decode(None)]
    return frames[0] if frames else None


def _jpeg(frame: VideoFrame, sample_aspect_ratio: Fraction) -> bytes:
    width, height = thumbnail_size(frame.width, frame.height, sample_aspect_ratio)
    # JPEG is full range by definition (ITU-T T.871, 7).
    small = frame.reformat(width, height, "yuvj420p", dst_color_range="JPEG", threads=1)
    small.pts, small.time_base = 0, VIDEO_TIME_BASE
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = VIDEO_TIME_BASE
    encoder.thread_count = 1
    encoder.qmin = encoder.qmax = QUALITY
    return b"".join(bytes(packet) for packet in [*encoder.encode(small), *encoder.encode(None)])
