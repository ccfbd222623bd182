"""The tracks of a broadcast whose encoder dies: no hole in the timeline, and gaps at once."""

from media.units import VIDEO_TIMESCALE as S
from media.units import Kind
from packager.cmaf.cutter import Cutter, CutterOptions
from tests.unit.packager.recording import ZERO_MS, Recorder, frames, video_config
from worker.ledger import BroadcastLedger
from worker.track_set import TrackSet

SOURCE, RENDITION = "vsource", "v360p"


class Bench:
    """A source at 30 frames a second, with an encoder that is as fast as it gets."""

    def __init__(self) -> None:
        self.out = Recorder()
        self.ledger = BroadcastLedger("studio", "broadcast", ZERO_MS, part_ticks=S // 3)
        for name in (SOURCE, RENDITION):
            self.ledger.expect(name, Kind.VIDEO)
        self.tracks = TrackSet(self.ledger, self.out, unix_ns=lambda: 0)
        for name in (SOURCE, RENDITION):
            self.tracks.video(name).configure(video_config(), None)
        self.cutter = Cutter(CutterOptions())

    def send(self, start: int, count: int, *, encoding: bool) -> None:
        """``count`` frames from frame ``start`` on; ``encoding``: a child runs, or starts."""
        for number, unit in enumerate(frames(start + count)):
            if number < start:
                continue
            if (cut := self.cutter.video(unit)) is not None:
                self.tracks.cut(cut, self.cutter.next_cut, encoding=encoding)
            self.tracks.add_video(SOURCE, unit)
            if encoding:
                self.tracks.add_video(RENDITION, unit)
            self.tracks.advance(unit.dts)

    @property
    def rendition(self) -> list[tuple[int, bool, int, int]]:
        return [
            (segment.entry.msn, segment.entry.gap, segment.entry.start, segment.entry.duration)
            for segment in self.out.segments
            if segment.track == RENDITION
        ]

    def parts(self, msn: int) -> int:
        return sum(part.duration for part in self.out.parts if (part.track, part.msn) == (RENDITION, msn))


def test_an_open_segment_grows_with_the_source_and_the_next_one_is_a_gap_as_soon_as_it_begins() -> None:
    bench = Bench()
    bench.send(0, 75, encoding=True)
    bench.tracks.abandon([RENDITION])
    assert bench.rendition == [(1, False, 0, 2 * S)]
    bench.send(75, 30, encoding=False)
    assert bench.parts(2) == 4 * S // 3
    bench.send(105, 16, encoding=False)
    assert bench.rendition[1:] == [(2, False, 2 * S, 2 * S), (3, True, 4 * S, 2 * S)]


def test_a_child_that_starts_with_the_next_segment_leaves_no_gap() -> None:
    bench = Bench()
    bench.send(0, 75, encoding=True)
    bench.tracks.abandon([RENDITION])
    bench.send(75, 45, encoding=False)
    bench.send(120, 61, encoding=True)
    assert bench.rendition == [(1, False, 0, 2 * S), (2, False, 2 * S, 2 * S), (3, False, 4 * S, 2 * S)]


def test_a_child_that_returns_after_gaps_continues_at_its_cut() -> None:
    bench = Bench()
    bench.send(0, 75, encoding=True)
    bench.tracks.abandon([RENDITION])
    bench.send(75, 150, encoding=False)
    bench.send(225, 15, encoding=False)
    bench.send(240, 61, encoding=True)
    assert [(msn, gap) for msn, gap, _, _ in bench.rendition] == [
        (1, False),
        (2, False),
        (3, True),
        (4, True),
        (5, False),
    ]
    assert all(a[2] + a[3] == b[2] for a, b in zip(bench.rendition, bench.rendition[1:], strict=False))


def test_segments_that_a_hung_child_has_missed_are_gaps_at_its_death() -> None:
    bench = Bench()
    bench.send(0, 75, encoding=True)
    bench.send(75, 150, encoding=False)
    bench.tracks.abandon([RENDITION])
    assert [(msn, gap) for msn, gap, _, _ in bench.rendition] == [(1, False), (2, False), (3, True), (4, True)]


def test_the_source_is_never_abandoned() -> None:
    bench = Bench()
    bench.send(0, 75, encoding=True)
    bench.tracks.abandon([RENDITION, "v720p"])
    bench.send(75, 60, encoding=False)
    assert [s.entry.gap for s in bench.out.segments if s.track == SOURCE] == [False, False]


def test_a_stopped_track_has_gaps_from_its_last_cut_on_until_it_is_resumed() -> None:
    bench = Bench()
    bench.send(0, 120, encoding=True)
    bench.send(120, 1, encoding=False)
    bench.tracks.stop(RENDITION)
    assert bench.rendition == [(1, False, 0, 2 * S), (2, False, 2 * S, 2 * S), (3, True, 4 * S, 2 * S)]
    bench.send(121, 60, encoding=False)
    assert bench.rendition[3:] == [(4, True, 6 * S, 2 * S)]
    bench.tracks.resume(RENDITION)
    bench.send(181, 120, encoding=True)
    assert bench.rendition[4:] == [(5, False, 8 * S, 2 * S)]


def test_the_death_of_a_child_does_not_concern_a_stopped_track() -> None:
    bench = Bench()
    bench.send(0, 60, encoding=True)
    bench.tracks.stop(RENDITION)
    bench.tracks.abandon([RENDITION])
    bench.send(60, 61, encoding=False)
    assert bench.rendition == [(1, False, 0, 2 * S), (2, True, 2 * S, 2 * S), (3, True, 4 * S, 2 * S)]
