"""What a row of the interop table asks for, and what came of it."""

from dataclasses import dataclass
from enum import StrEnum

FPS = 30
# A live reader gets at least three seconds more than the three segments of two seconds that it finds on arrival.
LIVE_S = 9.0
RECORDING_S = 8.0
PUBLISHED_S = 6.0
# A reader may begin its pictures and its sound one or two segments apart, and end with either.
LIVE_SHARE = 0.6
# A program decodes all of a recording. A browser is sampled while it plays, and pads nothing at the end.
RECORDING_SHARE = 0.9


class Format(StrEnum):
    HLS = "HLS"
    DASH = "DASH"


class Kind(StrEnum):
    LIVE = "live"
    LOW_LATENCY = "low latency"
    RECORDING = "recording"


@dataclass(frozen=True, slots=True)
class Case:
    """What a reader is given."""

    format: Format
    kind: Kind

    @property
    def seconds(self) -> float:
        return RECORDING_S if self.kind is Kind.RECORDING else LIVE_S

    @property
    def needed_s(self) -> float:
        """The seconds of pictures and of sound that must be decoded."""
        return self.seconds * (RECORDING_SHARE if self.kind is Kind.RECORDING else LIVE_SHARE)

    def __str__(self) -> str:
        return f"{self.format} {self.kind}"


@dataclass(frozen=True, slots=True)
class Decoded:
    """Pictures, and seconds of sound, that a reader decoded; how many seconds it is behind live, if it measures
    that; and what it printed last."""

    pictures: int
    sound_s: float
    behind_s: float | None = None
    log: str = ""

    def covers(self, seconds: float) -> bool:
        return self.pictures >= int(seconds * FPS) and self.sound_s >= seconds

    def __str__(self) -> str:
        return f"{self.pictures} / {self.sound_s:.1f} s"


CASES = tuple(Case(format, kind) for format in Format for kind in Kind)
