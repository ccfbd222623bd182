import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packager.facts import Grid, Pace, Run, SegmentEntry
from worker.ledger.entry_log import KEPT, EntryLog

int64 = st.integers(-(2**63), 2**63 - 1)
uint32 = st.integers(0, 2**32 - 1)
entries = st.builds(
    SegmentEntry,
    msn=int64,
    start=int64,
    duration=int64,
    size=int64,
    init=uint32,
    discontinuity=st.booleans(),
    gap=st.booleans(),
    wall_ms=int64,
    independent=st.booleans(),
    discontinuities=uint32,
    run=st.none() | st.builds(Run, int64, int64),
    pace=st.none() | st.builds(Pace, int64, int64, int64, uint32),
    grid=st.none() | st.builds(Grid, int64, int64, int64),
)


def entry(msn: int, *, gap: bool = False) -> SegmentEntry:
    run, pace = Run(msn // 50, 2000 * (msn // 50)), Pace(msn // 30, 5, 180_000)
    return SegmentEntry(msn, msn * 180_000, 180_000, 1000 + msn, 0, False, gap, 2000 * msn, run=run, pace=pace)


def filled(count: int, listed: int = 0) -> EntryLog:
    log = EntryLog(listed)
    for msn in range(count):
        log.append(entry(msn))
    return log


@given(st.lists(entries, min_size=1, max_size=5))
@settings(max_examples=50)
def test_a_packed_entry_unpacks_to_the_same_value(made: list[SegmentEntry]) -> None:
    log, expected = EntryLog(), [*made, *map(entry, range(3 * KEPT))]
    for each in expected:
        log.append(each)
    assert list(log) == expected
    assert log[: len(made)] == made


@given(st.integers(0, 5 * KEPT), st.slices(5 * KEPT), st.integers(0, 5 * KEPT))
@settings(max_examples=100)
def test_it_behaves_like_a_list(count: int, places: slice, dropped: int) -> None:
    log, expected = filled(count), [entry(msn) for msn in range(count)]
    assert log[places] == expected[places]
    assert log.drop(dropped) == expected[:dropped]
    rest = expected[dropped:]
    assert (len(log), list(log), bool(log)) == (len(rest), rest, bool(rest))
    assert [log[place] for place in range(-len(rest), len(rest))] == rest + rest
    log.append(entry(count))
    assert log[-1] == entry(count)


@pytest.mark.parametrize("place", [-5, 5])
def test_an_index_out_of_range_is_an_error(place: int) -> None:
    log = filled(4)
    with pytest.raises(IndexError):
        log[place]
    with pytest.raises(IndexError):
        log[place] = entry(0)


@pytest.mark.parametrize("place", [0, 3, KEPT, 3 * KEPT - 1, -1])
def test_any_entry_can_be_replaced(place: int) -> None:
    log = filled(3 * KEPT)
    log.drop(2)
    expected = list(log)
    if place == 3 * KEPT - 1:
        place -= 2
    log[place] = expected[place] = entry(7, gap=True)
    assert list(log) == expected


def test_dropped_entries_take_no_memory() -> None:
    log = filled(2000)
    for msn in range(2000, 20_000):
        log.append(entry(msn))
        log.drop(1)
    assert len(log) == 2000
    assert log[0].msn == 18_000
    assert len(log._packed) < 2 * len(filled(2000)._packed)


@pytest.mark.parametrize("listed", [0, 300])
def test_listed_entries_are_not_unpacked_again(listed: int) -> None:
    log, kept = filled(1000, listed), max(KEPT, listed)
    assert len(log) == 1000
    assert all(one is other for one, other in zip(log[-kept:], log[-kept:], strict=True))
    assert log[0] is not log[0]
