"""``python -m transcoder.worker.check MEMORY PIXELS ENCODER PRESET PROFILE LATENCY DEVICE``: tests the encoder.

Exit code 0 if it works; otherwise 1 and the reason on standard output.
"""

import os
import sys
from fractions import Fraction

from av import VideoFrame
from av.error import FFmpegError

from transcoder.errors import TranscoderError
from transcoder.ladder import Rendition
from transcoder.limits import WorkerLimits
from transcoder.options import Encoder, LatencyMode, Preset, Profile, TranscodeOptions
from transcoder.worker.encoders import BT709, PictureShape, open_encoder
from transcoder.worker.pipes import set_up_process
from transcoder.worker.times import VIDEO_TIME_BASE

RUNG = Rendition("check", 640, 360, 1, 800_000, 960_000, 1_200_000)
SHAPE = PictureShape(Fraction(30), Fraction(1), BT709)
FRAMES = 4


def main(arguments: list[str]) -> int:
    set_up_process(WorkerLimits.parse(arguments))
    _, _, encoder, preset, profile, latency, device = arguments
    options = TranscodeOptions(
        encoder=Encoder(encoder),
        preset=Preset(preset),
        profile=Profile(profile),
        latency=LatencyMode(latency),
        device=device or None,
    )
    try:
        context = open_encoder(RUNG, SHAPE, options, threads=1)
        packets = [packet for number in range(FRAMES) for packet in context.encode(_black(number))]
        packets += context.encode(None)
    except (TranscoderError, FFmpegError) as error:
        reason = str(error)
    else:
        if len(packets) == FRAMES and packets[0].is_keyframe:
            return 0
        reason = f"{len(packets)} of {FRAMES} frames came out"
    print(reason)
    return 1


def _black(number: int) -> VideoFrame:
    frame = VideoFrame(RUNG.width, RUNG.height, "yuv420p")
    for plane, value in zip(frame.planes, (16, 128, 128), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.pts, frame.time_base = number * 3000, VIDEO_TIME_BASE
    return frame


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
