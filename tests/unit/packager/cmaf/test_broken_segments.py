"""A segment whose frames do not all come shows its keyframe up to the next cut: the timeline has no hole."""

from collections.abc import Iterable
from itertools import pairwise

import pytest

from media.units import VIDEO_TIMESCALE as S
from media.units import AccessUnit
from packager.cmaf.cut import Cut
from packager.cmaf.segment_writer import SegmentWriter
from packager.cmaf.video_track import MAX_STILL_BYTES, VideoTrack
from tests.lab.fragments import ReadSample, read_fragments
from tests.unit.packager.recording import ZERO_MS, Recorder, frame, frames, video_config

PART = S // 3
FPS = 30


class Bench:
    """A track whose segments begin every 2 s, after ``lead``."""

    def __init__(self, lead: int = 0) -> None:
        self.out = Recorder()
        self.track = VideoTrack(SegmentWriter("v360p", self.out, ZERO_MS), part_target=PART)
        self.track.configure(video_config(), None)
        self._lead = lead

    def cut(self, *msns: int, discontinuity: bool = False) -> None:
        for msn in msns:
            self.track.cut(Cut(msn, (msn - 1) * 2 * S + self._lead, discontinuity))

    def add(self, units: Iterable[AccessUnit]) -> None:
        for unit in units:
            self.track.add(unit)

    def samples(self, msn: int) -> list[ReadSample]:
        data = next(segment.data for segment in self.out.segments if segment.entry.msn == msn)
        return [sample for fragment in read_fragments(data) for sample in fragment.samples]

    def check(self) -> None:
        """The times in the media are those of the entries, and continuous between gaps."""
        media = [segment for segment in self.out.segments if not segment.entry.gap]
        for segment in media:
            end = segment.entry.start - self._lead
            for fragment in read_fragments(segment.data):
                assert fragment.base_media_decode_time == end
                end += sum(sample.duration for sample in fragment.samples)
            assert end == segment.entry.start - self._lead + segment.entry.duration
        for one, other in pairwise(self.out.segments):
            assert one.entry.start + one.entry.duration == other.entry.start or other.entry.discontinuity
        assert max(part.duration for part in self.out.parts) <= PART


def payload(unit: AccessUnit) -> bytes:
    return bytes(unit.payload)


@pytest.mark.parametrize("last", [1, 7, 10, 20, 21, 59])
def test_frames_that_are_lost_before_the_next_cut_leave_no_hole(last: int) -> None:
    bench = Bench()
    bench.cut(1)
    bench.add(frames(last))
    bench.cut(2)
    bench.add(frames(60, start=2 * S))
    bench.cut(3)
    bench.add(frames(1, start=4 * S))
    bench.check()
    assert bench.out.spans == [(1, 0, 2 * S), (2, 2 * S, 2 * S)]
    if 2 * S - last * 3000 > S:
        assert bench.samples(1)[-1].payload == payload(frame(0, key=True))
        assert [part.independent for part in bench.out.parts if part.msn == 1][-1]


def test_whole_segments_that_are_lost_are_gaps() -> None:
    bench = Bench()
    bench.cut(1)
    bench.add(frames(20))
    bench.cut(2, 3, 4)
    bench.add(frames(60, start=6 * S))
    bench.cut(5)
    bench.add(frames(1, start=8 * S))
    bench.check()
    assert [(s.entry.msn, s.entry.gap, s.entry.duration) for s in bench.out.segments] == [
        (1, False, 2 * S),
        (2, True, 2 * S),
        (3, True, 2 * S),
        (4, False, 2 * S),
    ]


def test_a_still_picture_follows_the_source_part_by_part() -> None:
    bench = Bench()
    bench.cut(1)
    bench.add(frames(15))
    for tenths in range(5, 20):
        bench.track.show_still(tenths * S // 10)
        assert sum(part.duration for part in bench.out.parts) == tenths * S // 10 // PART * PART
    bench.cut(2)
    bench.track.show_still(2 * S)
    bench.check()
    assert [part.duration for part in bench.out.parts] == [PART] * 6
    assert bench.out.spans == [(1, 0, 2 * S)]
    bench.track.show_still(3 * S)
    assert len(bench.out.parts) == 6


def test_a_segment_may_become_a_gap_before_it_is_over() -> None:
    bench = Bench()
    bench.cut(1)
    bench.add(frames(15))
    bench.cut(2)
    bench.track.expire(2, 4 * S)
    bench.check()
    assert [(s.entry.msn, s.entry.gap, s.entry.duration) for s in bench.out.segments] == [
        (1, False, 2 * S),
        (2, True, 2 * S),
    ]
    bench.cut(3)
    bench.add(frames(60, start=4 * S))
    bench.cut(4)
    bench.add(frames(1, start=6 * S))
    bench.check()
    assert bench.out.spans[2:] == [(3, 4 * S, 2 * S)]


def test_before_a_discontinuity_nothing_is_filled() -> None:
    bench = Bench()
    bench.cut(1)
    bench.add(frames(15))
    bench.cut(2, discontinuity=True)
    bench.add(frames(1, start=2 * S))
    assert bench.out.spans == [(1, 0, S // 2)]


def test_a_late_first_frame_follows_the_keyframe_of_the_segment_before() -> None:
    bench = Bench()
    bench.cut(1)
    bench.add(frames(15))
    bench.cut(2)
    bench.add([frame(3 * S + n * 3000, key=n == 0, size=20) for n in range(30)])
    bench.cut(3)
    bench.add(frames(1, start=4 * S))
    bench.check()
    assert bench.out.spans == [(1, 0, 2 * S), (2, 2 * S, 2 * S)]
    second = bench.samples(2)
    assert [sample.payload for sample in second[:3]] == [payload(frame(0, key=True))] * 3
    assert (second[3].pts, second[3].payload) == (3 * S, payload(frame(0, key=True, size=20)))


def test_reordered_frames_are_presented_before_the_still_picture() -> None:
    bench = Bench(lead=6000)
    bench.cut(1)
    reorder = [2, 4, 1, 1]
    bench.add(frame(i * 3000, key=i == 0, cts=6000 if i == 0 else reorder[i % 4] * 3000) for i in range(18))
    bench.cut(2)
    bench.add(frames(60, start=2 * S, cts=6000))
    bench.cut(3)
    bench.add(frames(1, start=4 * S, cts=6000))
    bench.check()
    assert bench.out.spans == [(1, 6000, 2 * S), (2, 2 * S + 6000, 2 * S)]
    shown = [sample.pts for sample in bench.samples(1)]
    keys = [place for place, sample in enumerate(bench.samples(1)) if sample.payload == payload(frame(0, key=True))]
    assert keys[0] == 0 and min(shown[keys[1] :]) > max(shown[: keys[1]])
    assert shown[keys[1] :] == sorted(shown[keys[1] :])


def test_repeated_keyframes_are_bounded_in_bytes() -> None:
    bench = Bench()
    bench.cut(1)
    large = frame(0, key=True)._replace(payload=bytes(MAX_STILL_BYTES // 2 - 1))
    bench.add([large, *frames(10, start=3000, gop=1000)])
    bench.cut(2)
    bench.add(frames(1, start=2 * S))
    assert len(bench.out.segments[0].data) < 2 * MAX_STILL_BYTES
    assert bench.out.spans[0][2] < 2 * S
