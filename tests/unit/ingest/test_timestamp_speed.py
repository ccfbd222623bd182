"""Timestamps that run at the wrong speed are corrected by the audio."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import pytest

from ingest.timeline import Timeline
from ingest.track_start import TimingProblem

RATE, FRAME = 48_000, 1024
FRAME_MS = FRAME * 1000 / RATE


def always(seconds: float) -> float:
    return seconds


class Publication:
    """Audio of 48 kHz and video of 25 frames a second. ``stamp`` maps seconds of media to seconds of timestamps,
    and ``arrival`` to seconds of the clock."""

    def __init__(self, stamp: Callable[[float], float], arrival: Callable[[float], float] = always) -> None:
        self.now = 0.0
        self.problems: list[TimingProblem] = []
        self._timeline = Timeline(self.problems.append, lambda: self.now)
        self._timeline.set_audio(RATE, FRAME)
        self._stamp, self._arrival = stamp, arrival

    def play(self, seconds: int) -> tuple[list[float], list[float]]:
        """Returns the times of video and audio, in seconds."""
        video, audio = [], []
        times = [(n * 0.04, True) for n in range(25 * seconds)]
        times += [(n * FRAME / RATE, False) for n in range(seconds * RATE // FRAME)]
        for at, is_video in sorted(times):
            self.now = self._arrival(at)
            timestamp = round(1000 * self._stamp(at)) % (1 << 32)
            if is_video:
                video.append(self._timeline.video(timestamp).dts / 90_000)
            elif (placed := self._timeline.audio(timestamp)) is not None:
                audio.append(placed.dts / RATE)
        return video, audio

    @property
    def codes(self) -> list[str]:
        return [problem.code for problem in self.problems]


@pytest.mark.parametrize("speed", [Fraction(1, 2), Fraction(2), Fraction(2, 3), Fraction(6, 5)])
@pytest.mark.parametrize("origin", [0, (1 << 32) / 1000 - 5])
def test_after_four_seconds_frames_are_placed_as_they_arrive(speed: Fraction, origin: float) -> None:
    publication = Publication(lambda at: origin + at * float(speed))
    video, audio = publication.play(20)
    assert publication.codes == ["timestamp-speed"]
    for times, frame in ((video, 0.04), (audio, FRAME / RATE)):
        steps = [later - earlier for earlier, later in pairwise(times)]
        count = round(14 / frame)
        assert all(abs(step - frame) < 0.003 for step in steps[-count:])
    assert abs(video[-1] - audio[-1]) < 0.05


def test_the_warning_names_the_speed() -> None:
    publication = Publication(lambda at: at / 2)
    publication.play(6)
    (problem,) = publication.problems
    assert problem.text.startswith("the timestamps run at 0.50 times the speed of the audio, and are corrected")


def test_right_timestamps_stay() -> None:
    for arrival in (always, lambda at: at / 4, lambda at: 2 * at):
        publication = Publication(always, arrival)
        video, _ = publication.play(20)
        assert publication.codes == []
        assert video == pytest.approx([n * 0.04 for n in range(500)], abs=0.001)


def test_a_jump_is_not_a_speed() -> None:
    for jump in (-5, 2, 8):
        publication = Publication(lambda at, jump=jump: 100 + at + (jump if at > 7 else 0))  # type: ignore[misc]
        publication.play(20)
        assert "timestamp-speed" not in publication.codes


def test_an_encoder_that_leaves_audio_out_has_right_timestamps() -> None:
    """Half of the frames are missing, and the others arrive when their timestamps say."""
    publication = Publication(lambda at: 2 * at, lambda at: 2 * at)
    publication.play(20)
    assert publication.codes == []


def test_an_encoder_may_recover() -> None:
    publication = Publication(lambda at: at / 2 if at < 10 else at - 5)
    video, _ = publication.play(30)
    assert publication.codes == ["timestamp-speed"]
    assert [later - earlier for earlier, later in pairwise(video[-100:])] == pytest.approx([0.04] * 99, abs=0.003)
