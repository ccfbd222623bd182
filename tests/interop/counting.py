"""Counting decoded pictures and sound with ffmpeg, from its own summary at the log level ``verbose``."""

import re
from pathlib import Path

from tests.interop.children import run, tail
from tests.interop.outcome import Decoded

SAMPLE_RATE = 48_000
# The lines differ between ffmpeg 5 and 9, but for these parts.
PICTURES = re.compile(r"Input stream #\S+ \(video\): .*? (\d+) frames decoded")
SAMPLES = re.compile(r"Input stream #\S+ \(audio\): .*? frames decoded.*?\((\d+) samples\)")


def decode(ffmpeg: str, source: str, log: Path, *, seconds: float | None = None, within_s: float) -> Decoded:
    """What ``ffmpeg`` decodes of the best pictures and sound of ``source``, to the end or for ``seconds``."""
    limit = [] if seconds is None else ["-t", f"{seconds:g}"]
    command = [ffmpeg, "-hide_banner", "-nostdin", "-v", "verbose", "-i", source]
    run([*command, *limit, "-f", "null", "-"], log, within_s=within_s)
    text = log.read_text(errors="replace")
    pictures = sum(map(int, PICTURES.findall(text)))
    samples = sum(map(int, SAMPLES.findall(text)))
    return Decoded(pictures, samples / SAMPLE_RATE, log=tail(log))
