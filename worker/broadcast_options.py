"""The options of one broadcast."""

from dataclasses import dataclass
from typing import Self

from media.ladder import Ladder
from packager.cmaf.cutter import CutterOptions
from transcoder.options import TranscodeOptions

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """Bytes that a source may send before its broadcast begins, and in one segment.

    Time alone bounds neither, because timestamps may stand still. The defaults are those of 100 Mbit/s.
    """

    start_bytes: int = 25 * MIB
    segment_bytes: int = 100 * MIB

    @classmethod
    def for_bitrate(cls, bits_per_second: int) -> Self:
        """Two seconds before the beginning, and eight seconds in a segment. Lower rates get room for long segments
        and for large keyframes."""
        per_second = bits_per_second // 8
        return cls(max(16 * MIB, 2 * per_second), max(64 * MIB, 8 * per_second))


@dataclass(frozen=True, slots=True)
class BroadcastOptions:
    """``part_target`` is 90 kHz ticks; a part holds as many frames as fit into it. ``limits`` are those of the
    source's bytes."""

    cutter: CutterOptions
    part_target: int
    low_latency: bool
    ladder: Ladder
    transcode: TranscodeOptions
    limits: SourceLimits = SourceLimits()
