"""``python -m transcoder.worker.speed MEMORY PIXELS JSON``: what a ladder costs on this machine.

JSON has the options of the encoder and the renditions. A moving picture is encoded as a source; then it is decoded,
scaled and encoded as a broadcast would be. Prints the processor time and the duration of the media, in seconds, as
JSON.
"""

import json
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av import VideoFrame
from av.filter import Graph
from av.video.reformatter import VideoReformatter

from transcoder.ladder import Rendition
from transcoder.limits import WorkerLimits
from transcoder.options import Encoder, LatencyMode, Preset, Profile, TranscodeOptions
from transcoder.worker.encoders import BT709, PictureShape, open_encoder
from transcoder.worker.pipes import set_up_process
from transcoder.worker.times import VIDEO_TIME_BASE

FPS = 30
FRAMES = 3 * FPS
SHAPE = PictureShape(Fraction(FPS), Fraction(1), BT709)
TICKS = 90_000 // FPS


def main(arguments: list[str]) -> int:
    set_up_process(WorkerLimits.parse(arguments))
    given = json.loads(arguments[2])
    options = TranscodeOptions(
        encoder=Encoder(given["encoder"]),
        preset=Preset(given["preset"]),
        profile=Profile(given["profile"]),
        latency=LatencyMode(given["latency"]),
    )
    source = Rendition(**given["source"])
    rungs = [Rendition(**rung) for rung in given["rungs"]]
    extradata, packets = _source(source)
    began = time.process_time()
    _transcode(extradata, packets, options, rungs)
    print(json.dumps({"cpu_s": time.process_time() - began, "media_s": FRAMES / FPS}))
    return 0


def _source(source: Rendition) -> tuple[bytes | None, list["av.Packet[Any]"]]:
    encoder = open_encoder(source, SHAPE, TranscodeOptions(preset=Preset.ULTRAFAST), threads=0)
    packets = [packet for frame in _pictures(source) for packet in encoder.encode(frame)]
    return encoder.extradata, [*packets, *encoder.encode(None)]


def _pictures(source: Rendition) -> Iterator[VideoFrame]:
    graph = Graph()
    pattern = graph.add("testsrc2", f"size={source.width}x{source.height}:rate={FPS}")
    pixels = graph.add("format", "pix_fmts=yuv420p")
    sink = graph.add("buffersink")
    pattern.link_to(pixels)
    pixels.link_to(sink)
    graph.configure()
    for number in range(FRAMES):
        frame = graph.pull()
        assert isinstance(frame, VideoFrame)
        frame.pts, frame.time_base = number * TICKS, VIDEO_TIME_BASE
        yield frame


def _transcode(
    extradata: bytes | None, packets: list["av.Packet[Any]"], options: TranscodeOptions, rungs: list[Rendition]
) -> None:
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = extradata
    encoders = [open_encoder(rung, SHAPE, options, threads=1) for rung in rungs]
    scalers = [VideoReformatter() for _ in rungs]
    for packet in [*packets, None]:
        for frame in decoder.decode(packet):
            for rung, encoder, scaler in zip(rungs, encoders, scalers, strict=True):
                frame = scaler.reformat(frame, rung.width, rung.height, "yuv420p")
                encoder.encode(frame)
    for encoder in encoders:
        encoder.encode(None)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
