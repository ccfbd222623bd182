"""How close a rendition's pictures are to the source's: SSIM and XPSNR by ffmpeg's filters.

A rendition is scaled up to the source's size, as in a player, with splines, which neither side uses. Pictures are
paired by their number in the broadcast, and both are tagged with the same colour space. Otherwise a filter graph
would convert between them first: Headwater tags an untagged source, and ffmpeg does not.
"""

import math
import re
import subprocess
from dataclasses import dataclass

import ffmpeg  # type: ignore[import-untyped]
import imageio_ffmpeg  # type: ignore[import-untyped]

from bench.ladder.case import FPS, SOURCE
from bench.ladder.recording import Recording, Span
from tests.lab.errors import LabError

SSIM = re.compile(r"SSIM .*All:([\d.]+)")
SAME_COLOURS = {"range": "tv", "color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709"}
XPSNR = re.compile(r"XPSNR\s+y:\s*([\d.]+|inf)")


@dataclass(frozen=True, slots=True)
class Quality:
    """``kbps`` is the bitrate of the pictures; ``ssim`` is for all planes, ``xpsnr`` for luma, in dB."""

    kbps: float
    ssim: float
    xpsnr: float


def compare(source: Recording, rendition: Recording, span: Span) -> Quality:
    """Compare the pictures of ``span``, which both have to contain. Raises LabError."""
    references = _pictures(source, span).filter_multi_output("split")
    scaled = _pictures(rendition, span).filter("scale", SOURCE.width, SOURCE.height, flags="spline")
    encoded = scaled.filter_multi_output("split")
    outputs = [
        ffmpeg.filter([encoded[place], references[place]], name).output("-", format="null", fps_mode="passthrough")
        for place, name in enumerate(("ssim", "xpsnr"))
    ]
    command = ffmpeg.merge_outputs(*outputs).global_args("-hide_banner", "-nostats")
    done = subprocess.run(
        command.compile(cmd=imageio_ffmpeg.get_ffmpeg_exe()), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LabError(f"{rendition.path.name} could not be compared: {done.stderr.strip()[-500:]}")
    return Quality(rendition.kbps(span), *scores(done.stderr))


def scores(log: str) -> tuple[float, float]:
    """SSIM and XPSNR from the filters' last log lines. Raises LabError."""
    ssim, xpsnr = SSIM.search(log), XPSNR.search(log)
    if ssim is None or xpsnr is None:
        raise LabError(f"ffmpeg gave no SSIM or no XPSNR: {log.strip()[-500:]}")
    return float(ssim[1]), float(xpsnr[1])


def at_bitrate(kbps: float, one: Quality, other: Quality) -> Quality:
    """The quality of an encoder at ``kbps``, interpolated between its results ``one`` and ``other`` for the same
    pictures: linear in the logarithm of the bitrate, with SSIM in decibels."""
    span = math.log(other.kbps / one.kbps)
    share = 0.0 if span == 0 else math.log(kbps / one.kbps) / span

    def between(low: float, high: float) -> float:
        return low + share * (high - low)

    db = between(decibels(one.ssim), decibels(other.ssim))
    return Quality(kbps, 1 - 10 ** (-db / 10), between(one.xpsnr, other.xpsnr))


def decibels(ssim: float) -> float:
    return -10 * math.log10(1 - ssim)


def _pictures(recording: Recording, span: Span) -> "ffmpeg.nodes.FilterableStream":
    first, end = span.first - recording.first, span.end - recording.first
    pictures = ffmpeg.input(str(recording.path)).video.filter("trim", start_frame=first, end_frame=end)
    return pictures.filter("settb", f"1/{FPS}").filter("setpts", "N").filter("setparams", **SAME_COLOURS)
