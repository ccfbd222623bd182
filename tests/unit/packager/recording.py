"""A recording track sink, and example units and configurations."""

from collections.abc import Iterable

from media.codecs.aac import parse_audio_specific_config
from media.codecs.h264.configuration import avc_config
from media.configs import AudioConfig, VideoConfig
from media.units import AccessUnit, Codec, Kind
from packager.cmaf.segment_writer import Init, Part, Segment
from tests.lab.aac import aac_lc_record

ZERO_MS = 1_700_000_000_000

# A parameter set pair that x264 wrote for 64x64, baseline.
SPS = bytes.fromhex("6742c00ad9042684000003000400000300f03c489920")
PPS = bytes.fromhex("68cb83cb20")


class Recorder:
    """A :class:`packager.cmaf.segment_writer.TrackSink` that keeps everything it receives."""

    def __init__(self) -> None:
        self.inits: list[Init] = []
        self.parts: list[Part] = []
        self.segments: list[Segment] = []

    def on_init(self, init: Init) -> None:
        self.inits.append(init)

    def on_part(self, part: Part) -> None:
        self.parts.append(part)

    def on_segment(self, segment: Segment) -> None:
        self.segments.append(segment)

    @property
    def spans(self) -> list[tuple[int, int, int]]:
        """MSN, start and duration of every segment."""
        return [(s.entry.msn, s.entry.start, s.entry.duration) for s in self.segments]


def video_config() -> VideoConfig:
    return avc_config([SPS], [PPS])


def audio_config(sample_rate: int = 48_000, channels: int = 2) -> AudioConfig:
    return parse_audio_specific_config(aac_lc_record(sample_rate, channels))


def unfillable_config() -> AudioConfig:
    """48 kHz AAC with a program_config_element, for which no silent frame can be made."""
    return AudioConfig(Codec.AAC, bytes.fromhex("1180040001002000"), "mp4a.40.2", 48_000, 2, 1024)


def frame(dts: int, *, key: bool = False, cts: int = 0, size: int = 10) -> AccessUnit:
    return AccessUnit(Kind.VIDEO, dts, cts, key, bytes([0, 0, 0, size, 0x65 if key else 0x41]) + bytes(size - 1))


def frames(count: int, *, every: int = 3000, gop: int = 60, start: int = 0, cts: int = 0) -> Iterable[AccessUnit]:
    return (frame(start + i * every, key=i % gop == 0, cts=cts) for i in range(count))


def sound(dts: int, size: int = 8) -> AccessUnit:
    return AccessUnit(Kind.AUDIO, dts, 0, True, bytes(size))
