"""Which segments share a Period, and whether their times follow from their numbers."""

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

from packager.facts import SegmentEntry
from packager.runs import STEADY, assign_run
from tests.unit.packager.broadcasts import ZERO_MS

SCALE = 90_000


def assigned(durations: Iterable[float], holes: Sequence[int] = ()) -> list[SegmentEntry]:
    """Segments of ``durations`` seconds; before each of ``holes``, 6 s are missing."""
    made: list[SegmentEntry] = []
    edges = accumulate((round(seconds * SCALE) for seconds in durations), initial=0)
    for msn, (start, end) in enumerate(pairwise(edges), 1):
        shift = 6 * SCALE * sum(hole <= msn for hole in holes)
        entry = SegmentEntry(msn, start + shift, end - start, 1, 0, msn in holes, False, ZERO_MS)
        previous = made[-1] if made else None
        made.append(assign_run(entry, previous, start_ms=(start + shift) // 90, timescale=SCALE))
    return made


def paces(entries: Iterable[SegmentEntry]) -> list[tuple[int, int]]:
    """The first number and the duration of each pace."""
    found = dict.fromkeys(entry.pace for entry in entries)
    return [(pace.msn, pace.duration) for pace in found if pace is not None]


def test_equal_segments_have_one_pace() -> None:
    assert paces(assigned([2] * 50)) == [(1, 2 * SCALE)]


def test_deviations_that_do_not_add_up_are_tolerated() -> None:
    """Frames of a variable rate: each keyframe comes up to 66 ms early or late."""
    early_and_late = [2, 2.066, 1.934, 1.967, 2.033] * 20
    assert paces(assigned(early_and_late)) == [(1, 2 * SCALE)]


def test_deviations_that_add_up_end_the_pace() -> None:
    (first, *_) = paces(assigned([2] + [2.05] * 3 + [2.05] * 3))
    assert first == (1, 2 * SCALE)
    assert len(paces(assigned([2] + [2.05] * 6))) == 2


def test_a_pace_is_the_mean_of_the_segments_that_show_it() -> None:
    """The first segment is 66 ms shorter than the mean of those that follow."""
    durations = [1.934, *([2.033, 1.967] * 40)]
    first, second, third = paces(assigned(durations))
    assert first == (1, round(1.934 * SCALE)) and second[1] == 0
    assert abs(third[1] - 2 * SCALE) < SCALE // 100


def test_one_irregular_segment_restarts_an_established_pace() -> None:
    assert paces(assigned([2] * 8 + [1.4] + [2] * 8)) == [(1, 2 * SCALE), (10, 2 * SCALE)]


def test_each_break_needs_twice_as_many_regular_segments() -> None:
    """An irregular source does not change between numbers and a timeline all the time."""
    durations = ([2] * 6 + [1.3, 3.1]) * 60
    assert len(paces(assigned(durations))) <= 4
    steady = paces(assigned([2, 3, 1.5] + [2] * 60))
    assert [duration for _, duration in steady] == [2 * SCALE, 0, 2 * SCALE]
    assert steady[-1][0] - steady[-2][0] >= 2 * STEADY


def test_a_hole_starts_a_run_that_is_as_regular_as_the_source_was() -> None:
    regular = assigned([2] * 20, holes=[9])
    assert paces(regular) == [(1, 2 * SCALE), (9, 2 * SCALE)]
    assert {entry.run.msn for entry in regular if entry.run} == {1, 9}
    irregular = assigned([2, 3, 1.4, 2.6, 1.8] * 4, holes=[9])
    assert paces(irregular)[-1] == (9, 0)
