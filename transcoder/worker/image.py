"""``python -m transcoder.worker.image MEMORY PIXELS WIDTH HEIGHT ASPECT``: an image as a keyframe.

Reads a PNG or JPEG from standard input and writes an H.264 keyframe of WIDTH x HEIGHT with the sample aspect ratio
ASPECT, into which the image fits, with black bars.
"""

import os
import sys
from fractions import Fraction
from typing import cast

import av
from av import VideoCodecContext, VideoFormat, VideoFrame
from av.error import FFmpegError
from av.filter import Graph
from av.video.frame import PictureType

from media.codecs import video_codec
from media.units import AccessUnit, Kind
from transcoder.errors import ImageUnusable, TranscoderError
from transcoder.image import MAX_BYTES, TRACK
from transcoder.ladder import Rendition
from transcoder.limits import WorkerLimits
from transcoder.messages import Encoded, Failed, Finished, TrackReady
from transcoder.options import VIDEO_OUTPUTS, TranscodeOptions
from transcoder.worker.encoders import BT709, PictureShape, open_encoder
from transcoder.worker.pipes import Output, set_up_process
from transcoder.worker.times import VIDEO_TIME_BASE

DECODERS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "mjpeg"}
# It is encoded again for each rendition.
BITRATE = 40_000_000


def main(arguments: list[str]) -> int:
    limits = WorkerLimits.parse(arguments)
    set_up_process(limits)
    width, height, aspect = int(arguments[2]), int(arguments[3]), Fraction(arguments[4])
    output = Output()
    try:
        image = decode(sys.stdin.buffer.read(MAX_BYTES), limits.max_pixels)
        for message in encode(fit(image, width, height, aspect), aspect):
            output.send(message)
    except TranscoderError as error:
        output.send(Failed(error.code, str(error)))
    except (FFmpegError, MemoryError, ValueError) as error:
        output.send(Failed(ImageUnusable.code, f"the image cannot be decoded: {error}"))
    except BrokenPipeError:
        return 1
    return 0


def decode(data: bytes, max_pixels: int) -> VideoFrame:
    """Raises ImageUnusable, FFmpegError."""
    name = next((name for magic, name in DECODERS.items() if data.startswith(magic)), None)
    if name is None:
        raise ImageUnusable("it is neither a PNG nor a JPEG")
    decoder = cast(VideoCodecContext, av.CodecContext.create(name, "r"))
    decoder.options = {"max_pixels": str(max_pixels)}
    decoder.thread_count = 1
    frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    if not frames:
        raise ImageUnusable("it has no picture that can be decoded")
    return frames[0]


def fit(image: VideoFrame, width: int, height: int, aspect: Fraction) -> VideoFrame:
    """The image, whose samples are square, in the middle of a picture whose samples have the ratio ``aspect``."""
    scale = min(width * aspect / image.width, Fraction(height, image.height))
    across, down = _even(image.width * scale / aspect, width), _even(image.height * scale, height)
    small = image.reformat(across, down, "yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG", threads=1)
    small.pts, small.time_base = 0, VIDEO_TIME_BASE
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(width=across, height=down, format=VideoFormat("yuv420p"), time_base=VIDEO_TIME_BASE)
    pad = graph.add("pad", f"{width}:{height}:(ow-iw)/2:(oh-ih)/2")
    graph.link_nodes(source, pad, graph.add("buffersink")).configure()
    graph.vpush(small)
    graph.vpush(None)
    return graph.vpull()


def encode(frame: VideoFrame, aspect: Fraction) -> list[TrackReady | Encoded | Finished]:
    options, shape = TranscodeOptions(), PictureShape(Fraction(30), aspect, BT709)
    rung = Rendition(TRACK, frame.width, frame.height, 1, BITRATE, BITRATE, BITRATE)
    encoder = open_encoder(rung, shape, options, threads=1)
    codec = video_codec(VIDEO_OUTPUTS[options.encoder])
    frame.pts, frame.time_base, frame.pict_type = 0, VIDEO_TIME_BASE, PictureType.I
    (packet,) = [*encoder.encode(frame), *encoder.encode(None)]
    assert encoder.extradata is not None
    unit = AccessUnit(Kind.VIDEO, 0, 0, True, codec.parse_encoder_packet(bytes(packet)))
    return [TrackReady(TRACK, codec.parse_encoder_headers(encoder.extradata)), Encoded(TRACK, unit), Finished()]


def _even(length: Fraction, most: int) -> int:
    return min(most, max(2, 2 * round(length / 2)))


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)
