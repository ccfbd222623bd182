"""The continuous timeline, from regular and irregular timestamps."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.sample_clock import STEP_MS, TOLERANCE_MS
from ingest.timeline import Placement, Timeline
from ingest.track_clock import difference
from ingest.track_start import TimingProblem

RATE, FRAME = 48_000, 1024
WRAP = 1 << 32


class TimelineRecorder:
    """Places units on a timeline and records their decoding times, in ticks and samples."""

    def __init__(self, rate: int = RATE, frame: int = FRAME) -> None:
        self.rate, self.frame = rate, frame
        self.problems: list[TimingProblem] = []
        self.now = 0.0
        self.timeline = Timeline(self.problems.append, lambda: self.now)
        self.timeline.set_audio(rate, frame)
        self.video_dts: list[int] = []
        self.audio_dts: list[int] = []
        self.discontinuities = 0
        self.dropped = 0

    def video(self, timestamp: int) -> int:
        placement = self.timeline.video(timestamp % WRAP)
        self.discontinuities += placement.discontinuity
        self.video_dts.append(placement.dts)
        return placement.dts

    def audio(self, timestamp: int) -> int | None:
        placement = self.timeline.audio(timestamp % WRAP)
        if placement is None:
            self.dropped += 1
            return None
        self.discontinuities += placement.discontinuity
        self.audio_dts.append(placement.dts)
        return placement.dts

    @property
    def audio_steps(self) -> list[int]:
        return [after - before for before, after in pairwise(self.audio_dts)]

    @property
    def video_steps(self) -> list[int]:
        return [after - before for before, after in pairwise(self.video_dts)]


def feed_regular(
    recorder: TimelineRecorder, start: int, seconds: float, *, video_from: float = 0, audio_from: float = 0
) -> None:
    """Regular 30 fps video and AAC, rounded as ffmpeg does. The first timestamp is ``start``."""
    units = [(video_from + number / 30, "video") for number in range(round((seconds - video_from) * 30))]
    frames = round((seconds - audio_from) * recorder.rate / recorder.frame)
    units += [(audio_from + number * recorder.frame / recorder.rate, "audio") for number in range(frames)]
    for at, kind in sorted(units):
        (recorder.video if kind == "video" else recorder.audio)(start + round(at * 1000))


@pytest.mark.parametrize("start", [0, 1, 66, 12_345_678, WRAP // 2, WRAP - 1, WRAP - 3000])
def test_timeline_starts_at_0_for_any_first_timestamp(start: int) -> None:
    recorder = TimelineRecorder()
    feed_regular(recorder, start, 10)
    assert recorder.discontinuities == recorder.dropped == 0
    assert recorder.video_dts[0] == recorder.audio_dts[0] == 0
    assert recorder.video_dts == [round(number * 1000 / 30) * 90 for number in range(300)]
    assert set(recorder.audio_steps) == {FRAME}


@pytest.mark.parametrize(("rate", "frame"), [(44_100, 1024), (22_050, 1024), (44_100, 1152), (48_000, 2048)])
def test_audio_is_exact_at_every_rate(rate: int, frame: int) -> None:
    recorder = TimelineRecorder(rate, frame)
    feed_regular(recorder, 0, 60)
    assert set(recorder.audio_steps) == {frame}


def test_single_track_broadcasts() -> None:
    recorder = TimelineRecorder()
    for number in range(100):
        recorder.audio(5000 + number * FRAME * 1000 // RATE)
    assert recorder.audio_dts == [number * FRAME for number in range(100)]
    recorder = TimelineRecorder()
    for number in range(100):
        recorder.video(5000 + number * 40)
    assert recorder.video_dts == [number * 3600 for number in range(100)]


@pytest.mark.parametrize("seconds", [0.02, 3, 45])
def test_late_audio_keeps_its_offset(seconds: float) -> None:
    recorder = TimelineRecorder()
    feed_regular(recorder, 1000, seconds + 5, audio_from=seconds)
    assert recorder.discontinuities == 0
    assert recorder.audio_dts[0] == pytest.approx(seconds * RATE, abs=RATE // 1000)
    assert set(recorder.audio_steps) == {FRAME}


def test_late_video_keeps_its_offset() -> None:
    recorder = TimelineRecorder()
    feed_regular(recorder, 1000, 8, video_from=3)
    assert recorder.discontinuities == 0
    assert recorder.video_dts[0] == 3000 * 90


def send(recorder: TimelineRecorder, units: list[tuple[float, str, int]]) -> None:
    """Send (arrival in seconds, track, timestamp) in order of arrival."""
    for _, track, timestamp in sorted(units):
        recorder.video(timestamp) if track == "video" else recorder.audio(timestamp)


def apart(late_s: float, seconds: int, *, late: str, first: int, catches_up: bool) -> list[tuple[float, str, int]]:
    """Both tracks from timestamp ``first``; the track ``late`` arrives ``late_s`` late, at the start or always."""
    units = []
    for track, interval in (("video", 1 / 30), ("audio", FRAME / RATE)):
        for number in range(round(seconds / interval)):
            at = number * interval
            delay = late_s if track == late else 0
            arrival = max(at, delay + at / 1000) if catches_up else at + delay
            units.append((arrival, track, first + round(1000 * at)))
    return units


@pytest.mark.parametrize("late", ["audio", "video"])
@pytest.mark.parametrize("late_s", [1.2, 3, 6, 9])
@pytest.mark.parametrize(("first", "catches_up"), [(0, True), (5000, True), (5000, False)])
def test_a_track_that_is_sent_late_keeps_its_relation(
    late: str, late_s: float, first: int, catches_up: bool
) -> None:
    """Encoders that do not interleave: the timestamps agree, so picture and sound stay together."""
    recorder = TimelineRecorder()
    send(recorder, apart(late_s, 20, late=late, first=first, catches_up=catches_up))
    assert recorder.discontinuities == 0
    assert recorder.video_dts[300] == pytest.approx(10 * 90_000, abs=90)
    assert recorder.audio_dts[-1] / RATE == pytest.approx(20 - FRAME / RATE, abs=0.03)
    assert len(recorder.audio_dts) == round(20 * RATE / FRAME)
    assert [problem.code for problem in recorder.problems] == ["tracks-apart"]
    assert f"{late} started {late_s:.1f} s after" in recorder.problems[0].text


@pytest.mark.parametrize("late", ["audio", "video"])
def test_tracks_that_each_start_at_zero_are_placed_as_they_arrive(late: str) -> None:
    recorder = TimelineRecorder()
    send(recorder, apart(4, 20, late=late, first=0, catches_up=False))
    shown = {"video": recorder.video_dts[-1] / 90_000, "audio": recorder.audio_dts[-1] / RATE}
    assert shown[late] == pytest.approx(24, abs=0.1)
    assert "started at zero" in recorder.problems[-1].text


def test_tracks_with_different_origins_are_placed_as_they_arrive() -> None:
    recorder = TimelineRecorder()
    for number in range(100):
        recorder.video(number * 40)
        recorder.audio(3_600_000 + number * 40)
    assert abs(recorder.video_dts[-1] / 90_000 - recorder.audio_dts[-1] / RATE) < 0.1
    (problem,) = recorder.problems
    assert "different origins" in problem.text


def test_a_track_that_would_begin_before_the_timeline_is_placed_as_it_arrives() -> None:
    recorder = TimelineRecorder()
    for number in range(200):
        recorder.audio(2000 + number * FRAME * 1000 // RATE)
        recorder.video(number * FRAME * 1000 // RATE)
    assert abs(recorder.video_dts[-1] / 90_000 - recorder.audio_dts[-1] / RATE) < 0.1
    assert recorder.video_dts[60] > 90_000
    assert [problem.code for problem in recorder.problems] == ["tracks-apart"]


@pytest.mark.parametrize("still", [("video",), ("audio",), ("video", "audio")])
def test_tracks_whose_timestamps_stand_still_are_placed_as_they_arrive(still: tuple[str, ...]) -> None:
    recorder = TimelineRecorder()
    units = apart(0, 20, late="none", first=700, catches_up=False)
    send(recorder, [(at, track, 700 if track in still else timestamp) for at, track, timestamp in units])
    assert recorder.video_dts[-1] / 90_000 == pytest.approx(20, abs=0.6)
    assert recorder.audio_dts[-1] / RATE == pytest.approx(20, abs=0.6)
    assert min(recorder.video_steps) > 0
    assert max(recorder.video_steps[20:]) < 90_000 / 10
    assert {problem.code for problem in recorder.problems} == {f"{track}-timestamps-still" for track in still}


def test_video_alone_whose_timestamps_stand_still_is_placed_by_the_clock() -> None:
    recorder = TimelineRecorder()
    for number in range(300):
        recorder.now = number / 25
        recorder.video(0)
    assert recorder.video_dts[-1] / 90_000 == pytest.approx(12, abs=0.6)
    for number in range(1, 26):
        recorder.video(number * 40)
    assert recorder.video_dts[-1] / 90_000 == pytest.approx(13, abs=0.6)
    assert len(recorder.problems) == 1


def test_slices_with_one_timestamp_do_not_stand_still() -> None:
    recorder = TimelineRecorder()
    for number in range(100):
        for _ in range(8):
            recorder.video(number * 40)
    assert recorder.problems == []


def test_interleaved_tracks_are_no_problem() -> None:
    recorder = TimelineRecorder()
    feed_regular(recorder, 0, 5, audio_from=0.5)
    feed_regular(recorder, 5000, 5, audio_from=0.5)
    assert recorder.problems == []


def test_video_that_arrives_second_with_earlier_timestamps_is_kept() -> None:
    """The first frame is needed to decode all others. The video catches up as soon as its time allows."""
    recorder = TimelineRecorder()
    recorder.audio(100)
    assert [recorder.video(at) for at in (0, 33, 66, 100, 133)] == [0, 1, 2, 3, 33 * 90]


def test_audio_that_arrives_second_with_earlier_timestamps_is_dropped() -> None:
    recorder = TimelineRecorder()
    recorder.video(100)
    assert [recorder.audio(at) for at in (0, 21, 43, 64, 85, 107)] == [None, None, None, None, None, 336]


def test_timestamps_wrap() -> None:
    recorder = TimelineRecorder()
    feed_regular(recorder, WRAP - 5000, 10)
    assert recorder.discontinuities == 0
    assert max(recorder.video_steps) <= 34 * 90
    assert set(recorder.audio_steps) == {FRAME}


def test_equal_and_slightly_backward_video_timestamps_still_increase() -> None:
    recorder = TimelineRecorder()
    assert [recorder.video(at) for at in (0, 33, 33, 20, 66)] == [0, 2970, 2971, 2972, 5940]
    assert recorder.discontinuities == 0


@pytest.mark.parametrize("jump", [10_500, 60_000, -1500, -60_000, 2_000_000_000, -2_000_000_000])
@pytest.mark.parametrize("first", ["video", "audio"])
def test_jump_of_both_tracks_is_one_discontinuity(jump: int, first: str) -> None:
    """The jump is reported once.

    Time continues at the end of the track that jumps first, and the tracks keep the offset of the new timestamps.
    """
    recorder = TimelineRecorder()
    feed_regular(recorder, 1_000_000_000, 10)
    end = recorder.video_dts[-1] / 90 + 33 if first == "video" else (recorder.audio_dts[-1] + FRAME) * 1000 / RATE
    videos, audios = len(recorder.video_dts), len(recorder.audio_dts)
    at = 1_000_000_000 + 10_000 + jump
    if first == "video":
        recorder.video(at)
        recorder.audio(at + 40)
    else:
        recorder.audio(at)
        recorder.video(at + 40)
    for number in range(1, 100):
        recorder.video(at + 40 + number * 33)
        recorder.audio(at + 40 + number * FRAME * 1000 // RATE)
    assert recorder.discontinuities == 1
    first_video, first_audio = recorder.video_dts[videos] / 90, recorder.audio_dts[audios] * 1000 / RATE
    assert min(first_video, first_audio) == pytest.approx(end, abs=2)
    assert first_audio - first_video == pytest.approx(40 if first == "video" else -40, abs=2)


def test_late_units_of_the_old_base_stay_in_it() -> None:
    recorder = TimelineRecorder()
    feed_regular(recorder, 500_000, 5)
    audios = len(recorder.audio_dts)
    recorder.video(20)
    assert [recorder.audio(505_000 + number * FRAME * 1000 // RATE) for number in range(3)] == [
        recorder.audio_dts[audios - 1] + FRAME * number for number in (1, 2, 3)
    ]
    assert recorder.discontinuities == 1
    recorder.audio(20)
    assert recorder.discontinuities == 1
    assert recorder.audio_dts[-1] / RATE == pytest.approx(recorder.video_dts[-1] / 90_000, abs=0.035)


def test_jump_of_one_track_does_not_move_the_other() -> None:
    recorder = TimelineRecorder()
    feed_regular(recorder, 0, 5)
    recorder.video(100_000)
    recorder.audio(5013)
    assert recorder.discontinuities == 1
    assert recorder.video_dts[-1] == pytest.approx(5000 * 90, abs=40 * 90)
    assert recorder.audio_dts[-1] == pytest.approx(5 * RATE, abs=FRAME)


@pytest.mark.parametrize("track", ["video", "audio"])
def test_a_track_that_stays_behind_is_reported_once(track: str) -> None:
    recorder = TimelineRecorder()
    for number in range(500):
        by = 3000 if number >= 100 else 0
        recorder.audio(number * 20 + (by if track == "video" else 0))
        recorder.video(number * 20 + (by if track == "audio" else 0))
    (problem,) = recorder.problems
    assert problem.code == "tracks-apart"
    assert f"{track} is 3.0 s behind" in problem.text


def test_a_track_that_catches_up_is_not_reported() -> None:
    recorder = TimelineRecorder()
    for number in range(100):
        recorder.audio(number * 20)
        recorder.video(number * 20)
    for number in range(100, 250):
        recorder.audio(number * 20)
    for number in range(100, 250):
        recorder.video(number * 20)
    for number in range(250, 500):
        recorder.audio(number * 20)
        recorder.video(number * 20)
    assert recorder.problems == []


@pytest.mark.parametrize("track", ["video", "audio"])
@pytest.mark.parametrize("wrong", [0, 1, 123_456_789, WRAP - 1, WRAP // 2])
def test_one_wild_timestamp_moves_no_track_for_good(track: str, wrong: int) -> None:
    recorder = TimelineRecorder()
    units = [(number / 30, "video", 20_000 + round(number * 1000 / 30)) for number in range(150)]
    units += [
        (number * FRAME / RATE, "audio", 20_000 + round(number * FRAME * 1000 / RATE)) for number in range(234)
    ]
    send(recorder, [*units, (2.001, track, wrong)])
    assert recorder.video_dts[-1] == pytest.approx(149 * 3000, abs=90)
    assert recorder.audio_dts[-1] == pytest.approx(233 * FRAME, abs=RATE // 30)


@pytest.mark.parametrize("by", [-5000, 30_000, WRAP // 2])
@pytest.mark.parametrize("tracks", [("audio",), ("video",), ("audio", "video")])
def test_timestamps_that_are_wrong_for_a_while_leave_the_tracks_together(by: int, tracks: tuple[str, ...]) -> None:
    recorder = TimelineRecorder()
    for number in range(300):
        at = 20_000 + number * 20
        for track, place in (("video", recorder.video), ("audio", recorder.audio)):
            if track == "audio" or number % 2 == 0:
                place(at + (by if 100 <= number < 200 and track in tracks else 0))
    assert recorder.video_dts[-1] == pytest.approx(298 * 20 * 90, abs=100 * 90)
    assert recorder.audio_dts[-1] == pytest.approx(299 * 20 * RATE // 1000, abs=RATE // 10)


@pytest.mark.parametrize("gap", [1000, 9000])
def test_gap_in_timestamps_is_kept(gap: int) -> None:
    """If an encoder drops frames, both tracks keep the gap in the timestamps."""
    recorder = TimelineRecorder()
    feed_regular(recorder, 0, 2)
    recorder.video(2000 + gap)
    recorder.audio(2000 + gap)
    assert recorder.discontinuities == 0
    assert recorder.video_dts[-1] == (2000 + gap) * 90
    assert recorder.audio_dts[-1] == (2000 + gap) * RATE // 1000


def sync_errors(drift_ppm: int, jitter_ms: float = 0, minutes: int = 3) -> tuple[list[float], list[int]]:
    """The error of each audio frame in milliseconds, and its correction in samples.

    The audio clock is ``drift_ppm`` faster than the timestamps.
    """
    random = Random(7)
    recorder = TimelineRecorder()
    errors = []
    for number in range(minutes * 60 * RATE // FRAME):
        true_ms = number * FRAME * 1000 / RATE * (1 - drift_ppm / 1_000_000)
        dts = recorder.audio(round(5000 + true_ms + random.uniform(-jitter_ms, jitter_ms)))
        assert dts is not None
        errors.append(dts * 1000 / RATE - true_ms)
    return errors, [step - FRAME for step in recorder.audio_steps]


@pytest.mark.parametrize("ppm", [0, 20, -20, 200, -200, 1000, -1000])
def test_drift_is_corrected_within_10_ms(ppm: int) -> None:
    errors, moves = sync_errors(ppm)
    assert max(map(abs, errors)) < 10
    assert max(map(abs, moves)) <= RATE * STEP_MS // 1000
    drifted = abs(ppm) * 180_000 / 1_000_000
    assert sum(move != 0 for move in moves) <= 5 * (drifted / TOLERANCE_MS + 1)
    if ppm == 0:
        assert set(moves) == {0}


@pytest.mark.parametrize("jitter_ms", [1, 5, 15])
def test_jitter_does_not_reach_the_timeline(jitter_ms: float) -> None:
    _, moves = sync_errors(0, jitter_ms, minutes=1)
    assert sum(move != 0 for move in moves) <= 10


@pytest.mark.parametrize("offset", [30, -30, 55, -55])
def test_offset_below_a_gap_is_corrected_gradually(offset: int) -> None:
    recorder = TimelineRecorder()
    feed_regular(recorder, 0, 5)
    for number in range(200):
        recorder.audio(4992 + offset + round(number * FRAME * 1000 / RATE))
    assert recorder.dropped == 0
    true_ms = 4992 + offset + 199 * FRAME * 1000 / RATE
    assert recorder.audio_dts[-1] * 1000 / RATE == pytest.approx(true_ms, abs=TOLERANCE_MS)
    assert {abs(step - FRAME) <= RATE * STEP_MS // 1000 for step in recorder.audio_steps} == {True}


def test_repeated_audio_is_dropped_until_its_time_is_free() -> None:
    recorder = TimelineRecorder()
    feed_regular(recorder, 0, 5)
    for number in range(60):
        recorder.audio(4500 + round(number * FRAME * 1000 / RATE))
    assert recorder.discontinuities == 0
    assert 20 <= recorder.dropped <= 26
    assert recorder.audio_dts[-1] * 1000 / RATE == pytest.approx(4500 + 59 * FRAME * 1000 / RATE, abs=TOLERANCE_MS)


def test_one_wrong_audio_timestamp_drops_one_frame() -> None:
    recorder = TimelineRecorder()
    feed_regular(recorder, 0, 5)
    recorder.audio(4000 + 100)
    for number in range(1, 20):
        recorder.audio(round(5000 + 13 + number * FRAME * 1000 / RATE))
    assert recorder.dropped == 1
    assert recorder.audio_dts[-1] * 1000 / RATE == pytest.approx(5013 + 19 * FRAME * 1000 / RATE, abs=1)


def test_new_sample_rate_continues_at_the_end_of_the_old_one() -> None:
    recorder = TimelineRecorder()
    feed_regular(recorder, 0, 5)
    end = recorder.audio_dts[-1] + FRAME
    recorder.timeline.set_audio(44_100, 1024)
    placement = recorder.timeline.audio(round(end * 1000 / RATE))
    assert placement is not None
    assert placement.dts == pytest.approx(end * 44_100 / RATE, abs=45)
    assert placement.dts >= end * 44_100 // RATE


def test_repeated_audio_configuration_changes_nothing() -> None:
    recorder = TimelineRecorder()
    feed_regular(recorder, 0, 1)
    recorder.timeline.set_audio(RATE, FRAME)
    recorder.audio(round(len(recorder.audio_dts) * FRAME * 1000 / RATE))
    assert set(recorder.audio_steps) == {FRAME}


def test_audio_before_set_audio_raises_value_error() -> None:
    with pytest.raises(ValueError, match="sample rate"):
        Timeline().audio(0)


@pytest.mark.parametrize(
    ("later", "earlier", "expected"),
    [(5, 3, 2), (3, 5, -2), (2, WRAP - 2, 4), (WRAP - 2, 2, -4), (WRAP // 2, 0, -WRAP // 2), (0, 0, 0)],
)
def test_difference(later: int, earlier: int, expected: int) -> None:
    assert difference(later, earlier) == expected


timestamps = st.one_of(st.integers(0, WRAP - 1), st.integers(0, 3000), st.integers(WRAP - 3000, WRAP - 1))
steps = st.one_of(st.just(33), st.integers(0, 100), st.integers(-1500, 12_000), st.integers(0, WRAP - 1))


@settings(max_examples=200)
@given(timestamps, st.lists(st.tuples(st.sampled_from(["video", "audio"]), steps), max_size=60))
def test_decode_times_increase_for_any_timestamps(start: int, units: list[tuple[str, int]]) -> None:
    recorder = TimelineRecorder()
    at = {"video": start, "audio": start}
    for kind, step in units:
        at[kind] = (at[kind] + step) % WRAP
        (recorder.video if kind == "video" else recorder.audio)(at[kind])
    assert all(step > 0 for step in recorder.video_steps)
    assert all(step >= FRAME - RATE * STEP_MS // 1000 for step in recorder.audio_steps)
    assert all(dts >= 0 for dts in recorder.video_dts + recorder.audio_dts)
    first = (recorder.video_dts if units and units[0][0] == "video" else recorder.audio_dts)[:1]
    assert first in ([0], [])
    # Each unit advances time by its own step at most, so no unit is placed in the far future.
    latest = max([0, *(dts / 90 for dts in recorder.video_dts), *(dts * 1000 / RATE for dts in recorder.audio_dts)])
    assert latest <= len(units) * 10_000 + 100


@settings(max_examples=50)
@given(timestamps, st.integers(0, 200), st.integers(-60, 60))
def test_offset_between_the_tracks_is_kept(start: int, first_ms: int, offset: int) -> None:
    """Regular tracks keep their offset, for any start and any shift between them."""
    recorder = TimelineRecorder()
    feed_regular(recorder, start, 1 + first_ms / 1000)
    at = start + 5000 + first_ms
    recorder.video(at)
    placed = recorder.audio(at + offset)
    assert placed is not None
    assert placed * 1000 / RATE - recorder.video_dts[-1] / 90 == pytest.approx(offset, abs=1)


def test_placements_are_values() -> None:
    assert Timeline().video(7) == Placement(0, False)
