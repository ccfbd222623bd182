"""The ladder that both sides encode."""

from dataclasses import dataclass
from fractions import Fraction

from media.configs import VideoConfig
from media.ladder import Rung
from media.units import Codec
from transcoder.ladder import Rendition, plan_ladder
from transcoder.options import LatencyMode, Preset

FPS, GOP_S, SOURCE_KBPS = 30, 2, 4000
SOURCE = VideoConfig(Codec.H264, b"", "avc1", 1280, 720)
STEPS = (Rung(480, 1_400_000), Rung(360, 800_000), Rung(240, 400_000))


@dataclass(frozen=True, slots=True)
class Case:
    """``rungs`` are Headwater's plan for ``STEPS``: sizes, bitrates and buffers."""

    latency: LatencyMode
    preset: Preset = Preset.VERYFAST

    @property
    def rungs(self) -> tuple[Rendition, ...]:
        return plan_ladder(SOURCE, Fraction(FPS), STEPS)
