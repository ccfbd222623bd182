import itertools

from hypothesis import given
from hypothesis import strategies as st

from media.units import VIDEO_TIMESCALE as S
from packager.cmaf.audio_track import AudioTrack
from packager.cmaf.cutter import Cut
from packager.cmaf.segment_writer import SegmentWriter
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
