from dataclasses import replace
from fractions import Fraction

from live.messages import PartFetched
from live.topics import BroadcastRef
from packager.cmaf.cut import Cut
from packager.cmaf.segment_writer import Part, SegmentWriter
from packager.cmaf.video_track import VideoTrack
from tests.unit.packager.recording import ZERO_MS, Recorder, frame, frames, video_config
from worker.latency import LatencyTrace

MS = 1_000_000
REF = BroadcastRef("s", "b")


class Clock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def some_part() -> Part:
    out = Recorder()
    track = VideoTrack(SegmentWriter("vsource", out, ZERO_MS), part_target=30_000)
    track.configure(video_config(), Fraction(30))
    track.cut(Cut(0, 0, False))
    for unit in frames(10):
        track.add(unit)
    return out.parts[0]


def rows(trace: LatencyTrace) -> list[tuple[str, str, float, float]]:
    return [(row.track, row.stage, row.p50_ms, row.p95_ms) for row in trace.status()]


def test_source_latency_counts_from_the_last_frame_to_the_first_viewer() -> None:
    clock = Clock()
    trace = LatencyTrace(clock)
    trace.received(frame(0).pts, passed=True, encoded=False)
    clock.now = 3 * MS
    part = some_part()
    trace.on_message(REF, part)
    clock.now = 10 * MS
    trace.on_fetched(REF, PartFetched("vsource", part.msn, part.index))
    trace.on_fetched(REF, PartFetched("vsource", part.msn, part.index))
    assert rows(trace) == [("vsource", "in a part", 3.0, 3.0), ("vsource", "fetched", 7.0, 7.0)]


def test_a_renditions_latency_counts_from_its_own_frame() -> None:
    clock = Clock()
    trace = LatencyTrace(clock)
    for index in range(10):
        clock.now = index * 33 * MS
        trace.received(frame(index * 3000).pts, passed=True, encoded=True)
    trace.decoded("vsource", 9 * 3000, 309 * MS)
    trace.decoded("vsource", 77 * 3000, 309 * MS)
    clock.now = 320 * MS
    trace.encoded("v480p", frame(9 * 3000))
    clock.now = 321 * MS
    trace.on_message(REF, replace(some_part(), track="v480p"))
    assert rows(trace) == [
        ("vsource", "decoded", 12.0, 12.0),
        ("v480p", "encoded", 23.0, 23.0),
        ("v480p", "in a part", 24.0, 24.0),
    ]


def test_percentiles_and_bounds() -> None:
    clock = Clock()
    trace = LatencyTrace(clock)
    for index in range(2000):
        clock.now = 0
        trace.received(frame(index * 3000).pts, passed=False, encoded=True)
        clock.now = (index % 100 + 1) * MS
        trace.encoded("v480p", frame(index * 3000))
    assert rows(trace) == [("v480p", "encoded", 50.0, 95.0)]


def test_unreceived_frames_are_not_counted() -> None:
    trace = LatencyTrace(Clock())
    trace.encoded("v480p", frame(0))
    assert rows(trace) == []


def test_the_lateness_of_each_part_is_reported_in_seconds() -> None:
    clock, reported = Clock(), list[tuple[bool, float]]()
    trace = LatencyTrace(clock, lambda encoded, seconds: reported.append((encoded, seconds)))
    trace.received(frame(0).pts, passed=True, encoded=True)
    clock.now = 4 * MS
    trace.on_message(REF, some_part())
    clock.now = 50 * MS
    trace.encoded("v480p", frame(0))
    trace.on_message(REF, replace(some_part(), track="v480p"))
    assert reported == [(False, 0.004), (True, 0.05)]


def test_a_part_that_repeats_the_last_picture_is_not_late() -> None:
    clock, reported = Clock(), list[float]()
    trace = LatencyTrace(clock, lambda encoded, seconds: reported.append(seconds))
    trace.received(frame(0).pts, passed=True, encoded=False)
    for clock.now in (MS, 9000 * MS):
        trace.on_message(REF, some_part())
    assert reported == [0.001]
