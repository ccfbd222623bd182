"""What is kept of a publisher on standby."""

from media.units import VIDEO_TIMESCALE as S
from media.units import AccessUnit
from tests.unit.packager.recording import audio_config, frame, frames, sound, video_config
from worker.source_timeline import SourceStart
from worker.standby import LONGEST, MAX_UNITS, Standby


class Bench:
    def __init__(self, *, max_bytes: int = 1 << 20, video: bool = True) -> None:
        self.now = 100.0
        self.standby = Standby(max_bytes=max_bytes, clock=lambda: self.now)
        if video:
            self.standby.on_config(video_config())
        self.standby.on_config(audio_config())

    def send(self, *units: AccessUnit) -> None:
        for unit in units:
            self.standby.on_unit(unit)


def test_the_units_since_the_newest_keyframe_are_kept() -> None:
    bench = Bench()
    units = list(frames(100, gop=60))
    bench.send(*units)
    assert bench.standby.start == SourceStart(60 * 3000, 100.0)
    assert bench.standby.take() == units[60:]
    assert bench.standby.start is None
    assert bench.standby.arrived == 100


def test_nothing_is_kept_before_a_keyframe() -> None:
    bench = Bench()
    bench.send(*list(frames(60, gop=60))[1:], sound(0))
    assert bench.standby.start is None
    assert bench.standby.take() == []


def test_sound_is_kept_from_the_time_of_the_keyframe_on() -> None:
    bench = Bench()
    early, ahead, late, after = sound(47_000), sound(96_500), sound(95_900), sound(97_000)
    key = frame(2 * S, key=True)
    bench.send(frame(0, key=True), early, ahead, key, late, after)
    assert bench.standby.take() == [key, ahead, after]


def test_without_video_a_broadcast_can_begin_with_any_sound() -> None:
    bench = Bench(video=False)
    units = [sound(48_000), sound(49_024)]
    bench.send(*units)
    assert bench.standby.start == SourceStart(49_024 * S // 48_000, 100.0)
    assert bench.standby.take() == units[1:]


def test_keyframes_that_are_far_apart_are_not_kept_for_long() -> None:
    bench = Bench()
    bench.send(*frames(LONGEST // 3000 + 2, gop=1000))
    assert bench.standby.start is None
    bench.send(frame(10 * S), frame(11 * S, key=True))
    assert bench.standby.start == SourceStart(11 * S, 100.0)


def test_bytes_and_units_are_bounded() -> None:
    bench = Bench(max_bytes=1000)
    bench.send(frame(0, key=True, size=200), frame(3000, size=200))
    assert bench.standby.start is not None
    bench.send(*(frame(6000 + i, size=200) for i in range(4)))
    assert bench.standby.start is None
    bench = Bench()
    bench.send(frame(0, key=True), *(frame(i) for i in range(1, MAX_UNITS + 1)))
    assert bench.standby.start is None


def test_a_changed_configuration_ends_what_was_kept() -> None:
    bench = Bench()
    bench.send(*frames(10))
    bench.standby.on_config(audio_config(44_100))
    assert bench.standby.start is None


def test_other_tracks_are_ignored() -> None:
    bench = Bench()
    bench.send(frame(0, key=True)._replace(track=1))
    assert (bench.standby.start, bench.standby.arrived) == (None, 0)


def test_a_start_is_announced_after_it_is_kept() -> None:
    bench = Bench()
    starts: list[SourceStart | None] = []
    bench.standby.on_start = lambda: starts.append(bench.standby.start)
    bench.send(*frames(61))
    assert starts == [SourceStart(0, 100.0), SourceStart(180_000, 100.0)]
