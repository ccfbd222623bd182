"""Media that is awaited for more than three seconds is a warning in words."""

from dataclasses import replace
from fractions import Fraction

import pytest

from worker.arrival_advice import CODES, ArrivalAdvice, Arrivals
from worker.warnings import Warnings

BOTH = Arrivals(expects_video=True, expects_audio=True, declared=Fraction(30), usual=Fraction(30))


class Bench:
    """A publisher of which some media arrives each second."""

    def __init__(self, arrivals: Arrivals = BOTH) -> None:
        self.warnings = Warnings()
        self.advice = ArrivalAdvice(self.warnings)
        self.arrivals = arrivals
        self.now = 100.0
        self.advice.attach(self.now)

    def pass_s(
        self, seconds: int, *, frames: int = 0, sounds: int = 0, media_s: float = 1.0, keyframe: bool = True
    ) -> list[str]:
        """``media_s`` is the length of media in each second. Returns the codes of the warnings."""
        for _ in range(seconds):
            self.now += 1
            before = self.arrivals
            self.arrivals = replace(
                before,
                frames=before.frames + frames,
                sounds=before.sounds + sounds,
                end_s=before.end_s + media_s * bool(frames or sounds),
                video_s=before.video_s + media_s * bool(frames),
                keyframe=before.keyframe or (keyframe and frames > 0),
            )
            self.advice.review(self.arrivals, self.now)
        return [warning.code for warning in self.warnings.status(self.now)]

    @property
    def text(self) -> str:
        (warning,) = self.warnings.status(self.now)
        return warning.text


def test_a_stream_that_arrives_whole_is_no_warning() -> None:
    assert Bench().pass_s(60, frames=30, sounds=47) == []


@pytest.mark.parametrize(
    ("frames", "sounds", "code", "words"),
    [
        (0, 47, "no-video", "no picture has arrived for 4 s, and the sound goes on alone"),
        (30, 0, "no-audio", "no sound has arrived for 4 s, and the picture goes on alone"),
        (0, 0, "no-media", "nothing has arrived for 4 s"),
    ],
)
@pytest.mark.parametrize("started", [False, True])
def test_a_track_that_does_not_arrive_is_missed_after_three_seconds(
    started: bool, frames: int, sounds: int, code: str, words: str
) -> None:
    bench = Bench()
    if started:
        bench.pass_s(10, frames=30, sounds=47)
    assert bench.pass_s(3, frames=frames, sounds=sounds) == []
    assert bench.pass_s(1, frames=frames, sounds=sounds) == [code]
    assert bench.text.startswith(words) and "in OBS: " in bench.text
    assert bench.pass_s(1, frames=30, sounds=47) == []


def test_a_track_that_was_not_announced_is_not_missed() -> None:
    assert Bench(replace(BOTH, expects_audio=False)).pass_s(20, frames=30) == []
    assert Bench(replace(BOTH, expects_video=False)).pass_s(20, sounds=47) == []


def test_a_first_keyframe_is_awaited() -> None:
    bench = Bench()
    assert bench.pass_s(4, frames=30, sounds=47, keyframe=False) == []
    assert bench.pass_s(10, frames=30, sounds=47, keyframe=False) == ["no-keyframe"]
    assert "no keyframe has arrived for 13 s" in bench.text
    assert "the sound goes on alone" in bench.text
    assert "Keyframe Interval to 2 s in OBS, Settings, Output" in bench.text
    assert bench.pass_s(1, frames=30, sounds=47) == []


def test_ten_of_thirty_frames_are_a_warning() -> None:
    bench = Bench()
    assert bench.pass_s(6, frames=10, sounds=47) == []
    assert bench.pass_s(2, frames=10, sounds=47) == ["frames-missing"]
    assert bench.text.startswith("10 of 30 frames per second arrive") and "in OBS: Settings, Output" in bench.text
    assert bench.pass_s(3, frames=30, sounds=47) == []


def test_a_source_that_declares_nothing_is_compared_with_its_start() -> None:
    bench = Bench(replace(BOTH, declared=None))
    bench.pass_s(5, frames=30, sounds=47)
    assert bench.pass_s(8, frames=10, sounds=47) == ["frames-missing"]


@pytest.mark.parametrize("frames", [24, 25, 30, 60])
def test_a_rate_near_the_declared_one_is_complete(frames: int) -> None:
    assert Bench().pass_s(20, frames=frames, sounds=47) == []


def test_media_slower_than_real_time_is_a_warning() -> None:
    """A third of the frames arrive, each with the timestamp of its own time."""
    bench = Bench()
    assert bench.pass_s(6, frames=10, sounds=16, media_s=1 / 3) == []
    assert bench.pass_s(2, frames=10, sounds=16, media_s=1 / 3) == ["slow-media"]
    assert bench.text.startswith("only 33 % of real time arrives") and "in OBS: Settings, Output" in bench.text
    assert bench.pass_s(4, frames=40, sounds=60, media_s=1.3) == []


def test_a_short_stall_is_no_warning() -> None:
    bench = Bench()
    bench.pass_s(10, frames=30, sounds=47)
    assert bench.pass_s(2) == []
    assert bench.pass_s(1, frames=90, sounds=141, media_s=3.0) == []
    assert bench.pass_s(10, frames=30, sounds=47) == []


def test_nothing_is_awaited_without_a_publisher() -> None:
    bench = Bench()
    bench.pass_s(10)
    bench.advice.detach()
    assert bench.pass_s(10) == []
    bench.advice.attach(bench.now)
    assert bench.pass_s(3) == []
    assert bench.pass_s(1) == ["no-media"]
    assert set(CODES) >= {"no-media"}
