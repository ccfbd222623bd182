"""The options of one broadcast."""

from dataclasses import dataclass

from media.ladder import Ladder
from packager.cmaf.cutter import CutterOptions
from transcoder.options import TranscodeOptions


@dataclass(frozen=True, slots=True)
class BroadcastOptions:
    """``part_target`` is 90 kHz ticks; a part holds as many frames as fit into it."""

    cutter: CutterOptions
    part_target: int
    low_latency: bool
    ladder: Ladder
    transcode: TranscodeOptions
