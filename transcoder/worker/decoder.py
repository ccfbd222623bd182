"""Decodes video to progressive pictures in presentation order. Packets that cannot be decoded are counted."""

import os
from collections.abc import Iterable, Iterator
from typing import Any

import av
from av import VideoFrame
from av.codec.context import ThreadType
from av.error import FFmpegError

from media.configs import VideoConfig
from media.limits import MAX_PIXELS
from media.units import AccessUnit
from transcoder.options import LatencyMode
from transcoder.worker.decoders import open_video_decoder
from transcoder.worker.deinterlace import Deinterlacer
from transcoder.worker.times import VIDEO_TIME_BASE

MAX_THREADS = 4

# Up to this size, one thread can decode 60 frames per second, with a tenth less processor time than frame threads.
ONE_THREAD_PIXELS = 1920 * 1088


class VideoDecoder:
    """``errors`` counts packets that the decoder rejected. Raises DecoderUnavailable."""

    def __init__(self, config: VideoConfig, latency: LatencyMode, max_pixels: int = MAX_PIXELS) -> None:
        self.errors = 0
        self._codec = open_video_decoder(config, max_pixels)
        self._codec.thread_count = min(MAX_THREADS, os.cpu_count() or 1)
        # Frame threads delay the output by as many frames as there are threads.
        small = config.width * config.height <= ONE_THREAD_PIXELS
        self._codec.thread_type = ThreadType.SLICE if small or latency is LatencyMode.LOW else ThreadType.AUTO
        self._deinterlacer = Deinterlacer(always=config.interlaced)

    def decode(self, unit: AccessUnit) -> Iterator[VideoFrame]:
        if not unit.payload:
            # FFmpeg treats an empty packet as the end of the stream.
            self.errors += 1
            return iter(())
        packet = av.Packet(unit.payload)
        packet.pts, packet.dts, packet.time_base = unit.pts, unit.dts, VIDEO_TIME_BASE
        return self._progressive(self._frames(packet))

    def flush(self) -> Iterator[VideoFrame]:
        yield from self._progressive(self._frames(None))
        yield from self._deinterlacer.flush()

    def _frames(self, packet: "av.Packet[Any] | None") -> list[VideoFrame]:
        try:
            return self._codec.decode(packet)
        except FFmpegError:
            self.errors += 1
            return []

    def _progressive(self, frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
        for frame in frames:
            frame.time_base = VIDEO_TIME_BASE
            yield from self._deinterlacer.filter(frame)
