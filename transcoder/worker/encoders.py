"""Opens each video encoder with equivalent settings: IDRs only at cuts, closed GOPs, a rate within the decoder's
buffer, and the source's colours in the VUI.
"""

import os
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
from av import VideoCodecContext
from av.codec.codec import UnknownCodecError
from av.codec.context import Flags
from av.codec.hwaccel import HWAccel
from av.error import FFmpegError

from media.configs import Colour, VideoConfig
from transcoder.errors import EncoderUnavailable
from transcoder.ladder import USUAL_FRAME_RATE, Rendition, sample_aspect_ratio
from transcoder.options import Encoder, LatencyMode, Preset, TranscodeOptions
from transcoder.worker.times import VIDEO_TIME_BASE

FRAME_RATES = Fraction(1), Fraction(300)
LIMITED_RANGE, FULL_RANGE = 1, 2
BT709 = Colour(primaries=1, transfer=1, matrix=1, full_range=False)
HD_LINES = 720

# NVENC counts a GOP in 32 bits, Quick Sync in 16.
NVENC_LONGEST_GOP = 2**30
QSV_LONGEST_GOP = 2**16 - 1
VAAPI_LONGEST_GOP = 2**30

NVENC_PRESETS = {
    Preset.ULTRAFAST: "p1",
    Preset.SUPERFAST: "p1",
    Preset.VERYFAST: "p2",
    Preset.FASTER: "p3",
    Preset.FAST: "p4",
    Preset.MEDIUM: "p5",
    Preset.SLOW: "p6",
    Preset.SLOWER: "p7",
    Preset.VERYSLOW: "p7",
}
QSV_PRESETS = {
    Preset.ULTRAFAST: Preset.VERYFAST,
    Preset.SUPERFAST: Preset.VERYFAST,
    Preset.VERYSLOW: Preset.VERYSLOW,
}


@dataclass(frozen=True, slots=True)
class PictureShape:
    """The properties of a rung's pictures that its stream carries."""

    frame_rate: Fraction
    sample_aspect_ratio: Fraction
    colour: Colour | None


def shape_of(source: VideoConfig, rung: Rendition) -> PictureShape:
    rate = min(max(source.frame_rate or USUAL_FRAME_RATE, FRAME_RATES[0]), FRAME_RATES[1])
    return PictureShape(
        frame_rate=(rate / rung.frame_divisor).limit_denominator(1001),
        sample_aspect_ratio=sample_aspect_ratio(source, rung.width, rung.height),
        colour=source.colour or implied_colour(source),
    )


def implied_colour(source: VideoConfig) -> Colour | None:
    """Players treat untagged pictures of HD size as BT.709 and smaller ones as BT.601, so a rung that is scaled
    down from untagged HD needs the tag that its source lacks."""
    return BT709 if min(source.width, source.height) >= HD_LINES else None


def open_encoder(
    rung: Rendition, shape: PictureShape, options: TranscodeOptions, threads: int
) -> VideoCodecContext:
    """Takes yuv420p frames of the rung's size. Raises EncoderUnavailable."""
    try:
        context = _create(options)
        context.width, context.height = rung.width, rung.height
        context.time_base, context.framerate = VIDEO_TIME_BASE, shape.frame_rate
        context.sample_aspect_ratio = shape.sample_aspect_ratio
        context.bit_rate = rung.bitrate_bps
        context.thread_count = threads
        context.flags |= Flags.global_header | Flags.closed_gop
        if shape.colour is not None:
            context.color_primaries = shape.colour.primaries
            context.color_trc = shape.colour.transfer
            context.colorspace = shape.colour.matrix
            context.color_range = FULL_RANGE if shape.colour.full_range else LIMITED_RANGE
        context.options = {
            "maxrate": str(rung.max_bitrate_bps),
            "bufsize": str(rung.buffer_bits),
            "profile": options.profile.value,
            **ENCODER_OPTIONS[options.encoder](options),
        }
        context.open()
    except UnknownCodecError as error:
        raise EncoderUnavailable(f"the installed PyAV is built without {options.encoder}") from error
    except FFmpegError as error:
        size = f"{rung.width}x{rung.height}"
        raise EncoderUnavailable(f"{options.encoder} cannot be opened at {size}: {error.strerror}") from error
    return context


def threads_per_rung(options: TranscodeOptions, rungs: int) -> int:
    """Rungs already run in parallel, so each has one thread unless there are more processors than rungs."""
    return options.threads or max(1, min(8, (os.cpu_count() or 1) // max(1, rungs)))


def _create(options: TranscodeOptions) -> VideoCodecContext:
    name = options.encoder.value
    hardware = HWAccel("vaapi", device=options.device) if options.encoder is Encoder.VAAPI else None
    context = cast(VideoCodecContext, av.CodecContext.create(name, "w", hardware))
    context.pix_fmt = "yuv420p" if options.encoder in (Encoder.LIBX264, Encoder.NVENC) else "nv12"
    return context


def _libx264(options: TranscodeOptions) -> dict[str, str]:
    low = {"tune": "zerolatency"} if options.latency is LatencyMode.LOW else {}
    # The motion search of the next faster preset: the finer one costs more than the sharper scaler and gains less
    # (docs/benchmarks.md, Ladder cost).
    search = ":me=dia:subme=1" if options.preset is Preset.VERYFAST else ""
    return {
        "preset": options.preset.value,
        "forced-idr": "1",
        # force-cfr: frame times stay exact, and the VUI's timing carries the frame rate.
        "x264-params": f"keyint=infinite:scenecut=0:force-cfr=1{search}",
        **low,
    }


def _nvenc(options: TranscodeOptions) -> dict[str, str]:
    low = {"tune": "ll", "bf": "0", "rc-lookahead": "0", "zerolatency": "1", "delay": "0"}
    gpu = {} if options.device is None else {"gpu": options.device}
    return {
        "preset": NVENC_PRESETS[options.preset],
        "rc": "vbr",
        "g": str(NVENC_LONGEST_GOP),
        "forced-idr": "1",
        "no-scenecut": "1",
        "strict_gop": "1",
        **(low if options.latency is LatencyMode.LOW else {"tune": "hq"}),
        **gpu,
    }


def _qsv(options: TranscodeOptions) -> dict[str, str]:
    low = {"bf": "0", "async_depth": "1", "look_ahead": "0", "scenario": "livestreaming"}
    return {
        "preset": QSV_PRESETS.get(options.preset, options.preset).value,
        "g": str(QSV_LONGEST_GOP),
        "forced_idr": "1",
        "adaptive_i": "0",
        "adaptive_b": "0",
        **(low if options.latency is LatencyMode.LOW else {}),
    }


def _vaapi(options: TranscodeOptions) -> dict[str, str]:
    low = {"bf": "0", "async_depth": "1"}
    return {
        "rc_mode": "VBR",
        "g": str(VAAPI_LONGEST_GOP),
        "idr_interval": "0",
        **({"profile": "constrained_baseline"} if options.profile.value == "baseline" else {}),
        **(low if options.latency is LatencyMode.LOW else {}),
    }


ENCODER_OPTIONS = {
    Encoder.LIBX264: _libx264,
    Encoder.NVENC: _nvenc,
    Encoder.QSV: _qsv,
    Encoder.VAAPI: _vaapi,
}
