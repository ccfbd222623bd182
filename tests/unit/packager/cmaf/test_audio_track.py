import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.units import VIDEO_TIMESCALE as S
from packager.cmaf.audio_track import AudioTrack
from packager.cmaf.cut import Cut
from packager.cmaf.segment_writer import Segment, SegmentWriter
from tests.lab.fragments import read_fragments
from tests.unit.packager.recording import ZERO_MS, Recorder, audio_config, sound, unfillable_config

RATE = 48_000
FRAME = 1024


class Bench:
    def __init__(self, *, cut: bool = True) -> None:
        self.out = Recorder()
        self.track = AudioTrack(
            SegmentWriter("asource", self.out, ZERO_MS), audio_config(), part_target=S // 3, silence_after=S
        )
        if cut:
            self.track.cut(Cut(0, 0, False))

    def feed(self, first: int, count: int, *, size: int = 8) -> "Bench":
        """Add ``count`` frames from frame number ``first``, with the video at the same position."""
        for index in range(first, first + count):
            self.track.add(sound(index * FRAME, size))
            self.track.advance(index * FRAME * S // RATE)
        return self

    def samples(self) -> list[tuple[int, int, int]]:
        """Start, duration and size of each sample in complete segments."""
        return [
            (sample.pts, sample.duration, len(sample.payload))
            for segment in self.out.segments
            for fragment in read_fragments(segment.data)
            for sample in fragment.samples
        ]


def test_segments_start_within_half_a_frame_of_the_cut() -> None:
    bench = Bench().feed(0, 90)
    bench.track.cut(Cut(1, 2 * S, False))
    bench.feed(90, 90)
    bench.track.cut(Cut(2, 4 * S, False))
    bench.feed(180, 20)
    assert bench.out.spans == [(0, 0, 94 * FRAME), (1, 94 * FRAME, 93 * FRAME)]
    assert all(abs(start - msn * 2 * RATE) <= FRAME // 2 for msn, start, _ in bench.out.spans)


def test_durations_are_exact() -> None:
    bench = Bench().feed(0, 200)
    bench.track.close()
    assert bench.samples() == [(i * FRAME, FRAME, 8) for i in range(200)]


def test_parts_have_whole_frames_up_to_the_target() -> None:
    bench = Bench().feed(0, 40)
    assert [(part.index, part.duration) for part in bench.out.parts] == [(0, 15 * FRAME), (1, 15 * FRAME)]


def test_a_correction_of_the_clock_makes_no_part_longer_than_the_target() -> None:
    bench = Bench()
    for index in range(100):
        late = 96 if index >= 7 else 0
        bench.track.add(sound(index * FRAME + late))
        bench.track.advance((index * FRAME + late) * S // RATE)
    bench.track.close()
    assert max(part.duration for part in bench.out.parts) <= RATE // 3
    assert [start for start, _, _ in bench.samples()][:9] == [
        *(i * FRAME for i in range(7)),
        7 * FRAME + 96,
        8 * FRAME + 96,
    ]


def test_audio_is_held_until_the_video_passes() -> None:
    bench = Bench(cut=False)
    for index in range(30):
        bench.track.add(sound(index * FRAME))
    bench.track.cut(Cut(0, 5 * FRAME * S // RATE, False))
    bench.track.advance(24 * FRAME * S // RATE)
    bench.track.close()
    assert bench.samples()[0][0] == 5 * FRAME
    assert len(bench.samples()) == 25


def test_audio_is_held_for_a_limited_time() -> None:
    bench = Bench()
    for index in range(300):
        bench.track.add(sound(index * FRAME))
    assert len(bench.out.parts) >= (300 - 48) // 15 - 1


def test_audio_whose_timestamps_jump_ahead_is_held_as_long_as_other_audio() -> None:
    bench = Bench()
    for start in (0, 4 * RATE):
        for index in range(20):
            bench.track.add(sound(start + index * FRAME))
    assert not bench.out.parts


def test_hole_is_filled_with_silence() -> None:
    bench = Bench().feed(0, 20).feed(60, 20)
    bench.track.close()
    samples = bench.samples()
    assert [start for start, _, _ in samples] == [i * FRAME for i in range(80)]
    assert {size for _, _, size in samples[:20] + samples[60:]} == {8}
    assert 8 not in {size for _, _, size in samples[20:60]}


def test_audio_that_starts_late_is_preceded_by_silence() -> None:
    bench = Bench()
    for tick in range(0, 5 * S, 3000):
        bench.track.advance(tick)
    bench.track.cut(Cut(1, 2 * S, False))
    bench.track.cut(Cut(2, 4 * S, False))
    bench.feed(5 * RATE // FRAME, 60)
    bench.track.close()
    starts = [start for start, _, _ in bench.samples()]
    assert starts[0] == 0
    assert all(later - earlier == FRAME for earlier, later in itertools.pairwise(starts) if later < 4 * RATE)
    assert starts[-1] >= 5 * RATE


def test_clock_correction_changes_one_sample_duration() -> None:
    bench = Bench().feed(0, 20)
    for index in range(20, 60):
        bench.track.add(sound(index * FRAME + 400))
        bench.track.advance(index * FRAME * S // RATE + 1000)
    bench.track.close()
    samples = bench.samples()
    assert sorted({duration for _, duration, _ in samples}) == [FRAME, FRAME + 400]
    assert [later - earlier for (earlier, _, _), (later, _, _) in itertools.pairwise(samples)] == [
        duration for _, duration, _ in samples[:-1]
    ]


def test_late_units_are_dropped() -> None:
    bench = Bench().feed(0, 50)
    bench.track.add(sound(10 * FRAME))
    bench.feed(50, 10)
    bench.track.close()
    assert len(bench.samples()) == 60


def test_discontinuity_starts_at_its_cut() -> None:
    bench = Bench().feed(0, 60)
    bench.track.discontinue()
    for index in range(940, 980):
        bench.track.add(sound(index * FRAME))
    bench.track.cut(Cut(1, 960 * FRAME * S // RATE, True))
    bench.feed(980, 40)
    bench.track.close()
    assert bench.out.spans == [(0, 0, 60 * FRAME), (1, 960 * FRAME, 60 * FRAME)]
    assert bench.out.segments[1].entry.discontinuity


def test_changed_configuration_applies_from_the_discontinuity() -> None:
    bench = Bench().feed(0, 60)
    bench.track.configure(audio_config(44_100))
    bench.track.discontinue()
    bench.track.cut(Cut(1, 4 * S, True))
    for index in range(40):
        bench.track.add(sound(4 * 44_100 + index * FRAME))
        bench.track.advance(4 * S + index * FRAME * S // 44_100)
    bench.track.close()
    assert [init.config for init in bench.out.inits] == [audio_config(), audio_config(44_100)]
    assert bench.out.segments[1].entry.start == 4 * 44_100
    assert bench.out.segments[1].entry.init == 1


def test_missing_segments_are_gaps_if_silence_cannot_be_made() -> None:
    out = Recorder()
    track = AudioTrack(SegmentWriter("a", out, ZERO_MS), unfillable_config(), part_target=S // 3, silence_after=S)
    track.cut(Cut(0, 0, False))
    track.add(sound(0))
    track.advance(S)
    for msn in (1, 2, 3):
        track.cut(Cut(msn, msn * 2 * S, False))
    track.add(sound(3 * 2 * RATE))
    track.advance(7 * S)
    assert [(s.entry.msn, s.entry.gap) for s in out.segments] == [(0, False), (1, True), (2, True)]


@given(st.lists(st.sampled_from([0, 0, 0, 1, 3, 200]), min_size=30, max_size=120), st.integers(0, 400))
def test_decode_times_are_continuous(skips: list[int], jitter: int) -> None:
    bench = Bench()
    position = 0
    for index, skip in enumerate(skips):
        position += skip * FRAME
        bench.track.add(sound(position + (index % 2) * jitter))
        bench.track.advance(position * S // RATE)
        position += FRAME
    bench.track.close()
    fragments = [fragment for segment in bench.out.segments for fragment in read_fragments(segment.data)]
    end = 0
    for fragment in fragments:
        assert fragment.base_media_decode_time == end
        end += sum(sample.duration for sample in fragment.samples)


def test_audio_ahead_of_the_video_belongs_to_the_timeline_after_a_discontinuity() -> None:
    bench = Bench()
    for index in range(60):
        bench.track.add(sound(index * FRAME))
        if index >= 30:
            bench.track.advance((index - 30) * FRAME * S // RATE)
    bench.track.discontinue()
    bench.track.cut(Cut(1, 30 * FRAME * S // RATE, True))
    bench.track.close()
    assert bench.out.spans == [(0, 0, 30 * FRAME), (1, 30 * FRAME, 30 * FRAME)]


def test_segments_expire_while_the_audio_that_is_held_begins_the_newest_one() -> None:
    """The video's timestamps stood still, so its cuts came in a burst."""
    bench = Bench().feed(0, 10)
    for index in range(10, 60):
        bench.track.add(sound(index * FRAME))
    for msn in (1, 2, 3):
        bench.track.cut(Cut(msn, msn * S // 4, False))
    bench.track.expire(3)
    bench.feed(60, 60)
    bench.track.close()
    assert [s.entry.msn for s in bench.out.segments] == [0, 1, 2, 3]
    assert all(one.entry.start + one.entry.duration == other.entry.start for one, other in pairs(bench))
    assert len(bench.samples()) == 120


def pairs(bench: Bench) -> Iterable[tuple[Segment, Segment]]:
    return itertools.pairwise(bench.out.segments)


def test_a_unit_whose_time_has_silence_is_late() -> None:
    out, late = Recorder(), []
    track = AudioTrack(
        SegmentWriter("asource", out, ZERO_MS),
        audio_config(),
        part_target=S // 3,
        silence_after=S,
        on_late=lambda: late.append(True),
    )
    track.cut(Cut(0, 0, False))
    track.advance(3 * S)
    for index in range(160):
        track.add(sound(index * FRAME))
        track.advance(3 * S + index * FRAME * S // RATE)
    # Silence had been written up to 2.5 s.
    assert len(late) == pytest.approx(2.5 * RATE / FRAME, abs=2)


def test_the_last_segment_ends_in_time_if_audio_is_ahead_of_the_video() -> None:
    bench = Bench().feed(0, 90)
    for index in range(90, 130):
        bench.track.add(sound(index * FRAME))
    bench.track.close(2 * S)
    assert bench.out.spans == [(0, 0, 94 * FRAME)]


def test_a_gap_before_a_discontinuity_has_a_bounded_length() -> None:
    bench = Bench().feed(0, 94)
    bench.track.cut(Cut(1, 2 * S, False))
    bench.track.discontinue()
    bench.track.cut(Cut(2, 11 * S, True))
    bench.feed(11 * RATE // FRAME, 60)
    assert [(s.entry.msn, s.entry.gap) for s in bench.out.segments] == [(0, False), (1, True)]
    assert bench.out.segments[1].entry.duration == RATE


def test_a_segment_before_a_discontinuity_is_not_too_long_if_its_audio_goes_on() -> None:
    """The video ended at 1.8 s, and goes on at 3 s."""
    bench = Bench().feed(0, 90)
    bench.track.cut(Cut(1, 3 * S, True, before_ends=5 * S // 2))
    bench.feed(90, 100)
    bench.track.close()
    first, second = (span for span in bench.out.spans)
    assert 5 * RATE // 2 - FRAME < first[2] <= 5 * RATE // 2
    assert second[0] == 1 and abs(second[1] - 3 * RATE) <= FRAME // 2


def test_a_gap_has_a_duration_even_if_cuts_run_back() -> None:
    """The picture of cut 1 had a composition offset of 3 s."""
    bench = Bench().feed(0, 90)
    bench.track.cut(Cut(1, 5 * S, False))
    bench.track.cut(Cut(2, 3 * S, True))
    bench.track.expire(1)
    assert [entry.duration for entry in (s.entry for s in bench.out.segments) if entry.gap] == [RATE // 10]


def test_units_of_an_old_configuration_have_no_place_after_it() -> None:
    """The sound is half a second ahead of the picture when its sample rate changes."""
    bench = Bench().feed(0, 60)
    for index in range(60, 84):
        bench.track.add(sound(index * FRAME, 20))
    bench.track.discontinue()
    bench.track.configure(audio_config(44_100))
    first = 84 * FRAME * 44_100 // RATE
    for index in range(30):
        bench.track.add(sound(first + index * FRAME))
    bench.track.cut(Cut(1, 84 * FRAME * S // RATE, True))
    bench.track.advance(3 * S)
    bench.track.close()
    (segment,) = [segment for segment in bench.out.segments if segment.entry.msn == 1]
    samples = [sample for fragment in read_fragments(segment.data) for sample in fragment.samples]
    assert [len(sample.payload) for sample in samples] == [8] * 30


def test_silence_is_added_up_to_a_time_once_a_timeline_has_begun() -> None:
    out = Recorder()
    track = AudioTrack(SegmentWriter("asource", out, ZERO_MS), audio_config(), part_target=S // 3, silence_after=S)
    track.add_silence(S)
    track.cut(Cut(1, S, discontinuity=True))
    for tenths in range(10, 21):
        track.add_silence(tenths * S // 10)
    track.close()
    (segment,) = out.segments
    assert segment.entry.start == 48_000
    assert segment.entry.duration == pytest.approx(48_000, abs=1024)
