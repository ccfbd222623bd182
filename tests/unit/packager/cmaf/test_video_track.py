from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.codecs.h264.configuration import config_parameter_sets
from media.codecs.h264.nal_units import with_lengths
from media.units import VIDEO_TIMESCALE as S
from media.units import AccessUnit
from packager.cmaf.cut import Cut
from packager.cmaf.cutter import Cutter, CutterOptions
from packager.cmaf.segment_writer import SegmentWriter
from packager.cmaf.video_track import VideoTrack
from tests.lab.fragments import read_fragments
from tests.unit.packager.recording import ZERO_MS, Recorder, frame, frames, video_config

PART = S // 3


class Bench:
    """A video track that takes its cuts from a cutter, as in a broadcast."""

    def __init__(self, rate: Fraction | None = Fraction(30)) -> None:
        self.out = Recorder()
        self.track = VideoTrack(SegmentWriter("vsource", self.out, ZERO_MS), part_target=PART)
        self.track.configure(video_config(), rate)
        self.cutter = Cutter(CutterOptions(free_cuts=False))

    def feed(self, units: object) -> "Bench":
        for unit in units:  # type: ignore[attr-defined]
            assert isinstance(unit, AccessUnit)
            if (cut := self.cutter.video(unit)) is not None:
                self.track.cut(cut)
            self.track.add(unit, unit.dts)
        return self

    def presented(self) -> list[int]:
        """The presentation times of all written samples, parsed from the bytes."""
        return [pts for segment in self.out.segments for pts in read_fragment_times(segment.data)]


def read_fragment_times(data: bytes) -> list[int]:
    return [sample.pts for fragment in read_fragments(data) for sample in fragment.samples]


def test_segments_of_a_regular_source_have_exact_durations() -> None:
    bench = Bench().feed(frames(181))
    bench.track.close()
    assert bench.out.spans == [(1, 0, 2 * S), (2, 2 * S, 2 * S), (3, 4 * S, 2 * S), (4, 6 * S, 3000)]
    assert [segment.entry.wall_ms - ZERO_MS for segment in bench.out.segments] == [0, 2000, 4000, 6000]


def test_segment_is_exactly_its_parts() -> None:
    bench = Bench().feed(frames(121))
    for segment in bench.out.segments:
        parts = [part.data for part in bench.out.parts if part.msn == segment.entry.msn]
        assert len(parts) == 6
        assert b"".join(parts) == segment.data


def test_part_is_written_with_its_last_frame() -> None:
    bench = Bench().feed(frames(10))
    assert [(part.msn, part.index, part.duration, part.independent) for part in bench.out.parts] == [
        (1, 0, 10 * 3000, True)
    ]
    bench.feed(frames(10, start=30_000, gop=1000))
    assert [part.independent for part in bench.out.parts] == [True, True]


def test_segments_with_b_frames_start_at_presentation_time() -> None:
    reorder = [2, 4, 1, 1]
    units = [
        frame(i * 3000, key=i % 60 == 0, cts=6000 if i % 60 == 0 else reorder[i % 4] * 3000) for i in range(121)
    ]
    bench = Bench().feed(units)
    assert [start for _, start, _ in bench.out.spans] == [6000, 6000 + 2 * S]
    first = read_fragments(bench.out.segments[0].data)[0]
    assert first.base_media_decode_time == 0
    assert [sample.pts for sample in first.samples][:3] == [6000, 15_000, 9000]


@given(st.lists(st.integers(min_value=20, max_value=80), min_size=61, max_size=200))
def test_decode_times_are_continuous_and_presentation_times_exact(steps: list[int]) -> None:
    times = [sum(steps[:i]) * 90 for i in range(len(steps))]
    bench = Bench(None).feed([frame(time, key=i % 40 == 0) for i, time in enumerate(times)])
    bench.track.close()
    fragments = [fragment for segment in bench.out.segments for fragment in read_fragments(segment.data)]
    end = 0
    for fragment in fragments:
        assert fragment.base_media_decode_time == end
        end += sum(sample.duration for sample in fragment.samples)
    assert bench.presented() == times


def test_stall_inside_a_segment_extends_the_segment() -> None:
    bench = Bench().feed(frames(15)).feed(frames(46, start=75_000, gop=1000))
    bench.feed([frame(75_000 + 46 * 3000, key=True)])
    assert bench.out.spans[0] == (1, 0, 75_000 + 46 * 3000)


def test_discontinuity_starts_at_the_presentation_time_of_its_frame() -> None:
    bench = Bench().feed(frames(61))
    bench.cutter.discontinue()
    bench.feed(frames(61, start=20 * S, cts=6000))
    assert bench.out.spans[1:] == [(2, 2 * S, 3000), (3, 20 * S + 6000, 2 * S)]
    assert [segment.entry.discontinuity for segment in bench.out.segments] == [False, False, True]


def test_changed_configuration_applies_from_the_next_discontinuity() -> None:
    bench = Bench().feed(frames(31))
    bench.track.configure(video_config(), Fraction(30))
    bench.track.configure(replace(video_config(), sample_aspect_ratio=Fraction(4, 3)), Fraction(30))
    bench.feed(frames(31, start=31 * 3000, gop=1000))
    assert len(bench.out.inits) == 1
    bench.cutter.discontinue()
    bench.feed(frames(61, start=4 * S))
    assert [init.number for init in bench.out.inits] == [0, 1]
    assert [segment.entry.init for segment in bench.out.segments] == [0, 1]


def test_segments_without_media_are_gaps() -> None:
    bench = Bench().feed(frames(30))
    for msn in (2, 3, 4, 5):
        bench.track.cut(Cut(msn, (msn - 1) * 2 * S, False))
    bench.track.add(frame(3 * 2 * S, key=True))
    assert [(s.entry.msn, s.entry.gap, s.entry.duration) for s in bench.out.segments] == [
        (1, False, 2 * S),
        (2, True, 2 * S),
        (3, True, 2 * S),
    ]
    assert bench.out.segments[1].data == b""


def test_expired_segments_become_gaps() -> None:
    bench = Bench().feed(frames(30))
    for msn in range(2, 7):
        bench.track.cut(Cut(msn, (msn - 1) * 2 * S, False))
        bench.track.expire(msn - 3)
    assert [(s.entry.msn, s.entry.gap) for s in bench.out.segments] == [(1, False), (2, True), (3, True)]
    bench.track.add(frame(2 * 2 * S + 3000))
    bench.track.add(frame(4 * 2 * S, key=True))
    assert [s.entry.msn for s in bench.out.segments] == [1, 2, 3, 4]


def test_cut_without_a_keyframe_is_applied_at_the_hard_limit() -> None:
    bench = Bench().feed(frames(950, gop=10_000))
    assert bench.out.spans[0] == (1, 0, 30 * S)
    assert not bench.out.parts[-1].independent


def test_parts_have_a_limit_in_bytes() -> None:
    bench = Bench().feed([frame(0, key=True)])
    for i in range(1, 5):
        bench.track.add(AccessUnit(frame(0).kind, i * 3000, 0, False, bytes(5 << 20)))
    assert len(bench.out.parts) == 2


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
def test_parts_do_not_exceed_their_target(fps: int) -> None:
    bench = Bench(Fraction(fps)).feed(frames(fps * 4 + 1, every=S // fps, gop=2 * fps))
    for part, following in zip(bench.out.parts, bench.out.parts[1:], strict=False):
        assert part.duration <= PART
        if part.msn == following.msn:
            assert part.duration >= PART * 85 // 100


def test_segments_contain_parameter_sets_after_a_configuration_change() -> None:
    bench = Bench().feed(frames(61))
    changed = replace(video_config(), sample_aspect_ratio=Fraction(4, 3))
    bench.track.configure(changed, Fraction(30))
    bench.cutter.discontinue()
    bench.feed(frames(121, start=4 * S))
    sets = config_parameter_sets(changed.record)
    assert [sets in segment.data for segment in bench.out.segments] == [False, False, True, True]


def test_parameter_sets_come_after_the_access_unit_delimiter() -> None:
    """ITU-T H.264, 7.4.1.2.3: a delimiter is the first NAL unit of its access unit."""
    delimiter = with_lengths([b"\x09\xf0"])
    bench = Bench()
    changed = replace(video_config(), sample_aspect_ratio=Fraction(4, 3))
    bench.feed(frames(61))
    bench.track.configure(changed, Fraction(30))
    bench.cutter.discontinue()
    bench.feed(
        [unit._replace(payload=delimiter + with_lengths([unit.payload])) for unit in frames(61, start=4 * S)]
    )
    assert any(delimiter + config_parameter_sets(changed.record) in segment.data for segment in bench.out.segments)


@pytest.mark.parametrize("hole_ms", [300, 500, 700, 900, 960])
@pytest.mark.parametrize("before", [20, 25])
def test_no_interval_makes_a_part_longer_than_the_target(hole_ms: int, before: int) -> None:
    times = [i * 3000 + (i >= before) * hole_ms * 90 for i in range(60)]
    bench = Bench().feed(frame(time, key=i == 0) for i, time in enumerate(times))
    bench.track.close()
    assert max(part.duration for part in bench.out.parts) <= PART
    assert bench.presented() == times


def test_late_video_is_cut_as_its_sound_was_and_begins_with_a_keyframe() -> None:
    bench = Bench()
    for msn, at in ((1, S), (2, 3 * S), (3, 5 * S)):
        bench.track.cut(Cut(msn, at, discontinuity=False, sound_alone=True))
    # Keyframes every second and a half.
    for unit in frames(30 * 6, gop=45):
        bench.track.add(unit)
    bench.track.close()
    assert bench.out.spans == [(1, 3 * S // 2, 3 * S // 2), (2, 3 * S, 2 * S), (3, 5 * S, S)]
    assert [segment.entry.independent for segment in bench.out.segments] == [True, True, False]


def test_a_slate_has_its_own_configuration_between_those_of_the_source() -> None:
    bench = Bench().feed(frames(60))
    slate = replace(video_config(), codec_string="avc1.64001e")
    bench.track.show_slate(slate)
    bench.cutter.discontinue()
    bench.feed(frames(60, start=5 * S))
    bench.track.show_slate(None)
    bench.cutter.discontinue()
    bench.feed(frames(60, start=10 * S))
    bench.track.close()
    assert [init.config for init in bench.out.inits] == [video_config(), slate, video_config()]
    assert [segment.entry.init for segment in bench.out.segments] == [0, 1, 2]


def test_a_slate_needs_no_configuration_of_the_track() -> None:
    out = Recorder()
    track = VideoTrack(SegmentWriter("v360p", out, ZERO_MS), part_target=PART)
    track.show_slate(video_config())
    track.cut(Cut(1, 0, discontinuity=True))
    track.add(frame(0, key=True))
    track.close()
    assert [init.config for init in out.inits] == [video_config()]
