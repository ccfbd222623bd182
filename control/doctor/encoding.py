"""The encoder, and how many ladders this machine encodes in real time."""

import os
from collections.abc import Iterator
from fractions import Fraction

from control.config import Config
from control.doctor.finding import Finding, fault, good, warning
from control.options import transcode_options
from media.configs import VideoConfig
from media.units import Codec
from transcoder.errors import TranscoderError
from transcoder.ladder import Rendition, plan_ladder
from transcoder.options import check_encoder
from transcoder.speed import measure_speed

# What most broadcasters send.
SOURCE = Rendition("source", 1280, 720, 1, 4_000_000, 5_000_000, 8_000_000)
FPS = Fraction(30)
# The rest is for ingest, viewers and peaks.
USABLE = 0.8


def encoding(config: Config) -> Iterator[Finding]:
    options, ladder = transcode_options(config), config.transcoder.ladder
    try:
        check_encoder(options)
    except TranscoderError as error:
        yield fault("encoder", str(error), "change [transcoder] encoder")
        return
    yield good("encoder", f"{options.encoder.value} works")
    video = VideoConfig(Codec.H264, b"", "", SOURCE.width, SOURCE.height, frame_rate=FPS)
    rungs = plan_ladder(video, FPS, ladder)
    if not rungs:
        yield good("speed", "a source of 720p is passed through, and nothing is encoded")
        return
    names = ", ".join(f"{rung.height}p" for rung in rungs)
    try:
        speed = measure_speed(SOURCE, rungs, options)
    except TranscoderError as error:
        yield warning("speed", str(error), "see the encoder above")
        return
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    fitting = int(USABLE * processors / speed.cores)
    cost = f"a ladder of a 720p source ({names}) takes {speed.cores:.2f} of {processors} processors"
    text = f"{cost}: about {fitting} of them fit"
    if fitting:
        yield good("speed", text)
    else:
        advice = 'choose a faster [transcoder] preset, fewer rungs, or ladder = "source"'
        yield warning("speed", text, advice)
