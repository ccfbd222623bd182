"""Runs a session within the test, on the sources of :mod:`tests.unit.transcoder.sources`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from media.codecs.h264.random_access import is_random_access_point
from media.configs import AudioConfig, TrackConfig, VideoConfig
from media.units import AccessUnit
from transcoder.ladder import Rendition
from transcoder.messages import Encoded, Job, Message, Progress, TrackReady
from transcoder.worker.session import TranscodeSession


@dataclass
class Result:
    configs: dict[str, TrackConfig] = field(default_factory=dict)
    units: dict[str, list[AccessUnit]] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    failures: list[str] = field(default_factory=list)

    def receive(self, message: Message) -> None:
        match message:
            case TrackReady(track, config):
                self.configs[track] = config
            case Encoded(track, unit):
                assert track in self.configs, "a unit before its track's configuration"
                self.units.setdefault(track, []).append(unit)
            case Progress():
                self.progress = message

    def video(self, track: str) -> VideoConfig:
        config = self.configs[track]
        assert isinstance(config, VideoConfig)
        return config

    def audio(self, track: str) -> AudioConfig:
        config = self.configs[track]
        assert isinstance(config, AudioConfig)
        return config

    def times(self, track: str) -> list[int]:
        return sorted(unit.pts for unit in self.units[track])

    def idr_times(self, track: str) -> list[int]:
        for unit in self.units[track]:
            assert unit.key == is_random_access_point(unit.payload)
        return [unit.pts for unit in self.units[track] if unit.key]


def run(
    job: Job,
    units: Iterable[AccessUnit],
    cut_at: Callable[[AccessUnit], bool] = lambda unit: False,
) -> Result:
    result = Result()
    session = TranscodeSession(job, result.receive, lambda code, text: result.failures.append(f"{code}: {text}"))
    for unit in units:
        if cut_at(unit):
            session.cut(unit.pts)
        session.feed(unit)
    session.finish()
    assert result.failures == []
    return result


def rung(track: str, width: int, height: int, *, divisor: int = 1, bitrate: int = 300_000) -> Rendition:
    return Rendition(track, width, height, divisor, bitrate, bitrate * 6 // 5, bitrate * 3 // 2)
