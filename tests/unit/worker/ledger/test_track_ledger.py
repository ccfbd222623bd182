from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from media.units import Kind
from packager.cmaf.segment_writer import Init
from packager.facts import SegmentEntry
from tests.unit.packager.recording import audio_config
from worker.ledger import TrackLedger

RATE = 48_000


def made(durations: list[int]) -> TrackLedger:
    """The ledger of a track whose segments have these numbers of samples, all resolved."""
    index = TrackLedger("audio", Kind.AUDIO, True, "", 2000)
    index.configure(Init("audio", 0, audio_config(RATE), None, b""))
    start = 0
    for msn, duration in enumerate(durations):
        index.add(SegmentEntry(msn, start, duration, 100, 0, False, False, 1000 * start // RATE))
        index.mark_resolved(msn)
        start += duration
    return index


@given(st.lists(st.integers(RATE // 10, 4 * RATE), max_size=300), st.integers(0, 120_000))
@settings(max_examples=60)
def test_recent_entries_just_fill_the_window(durations: list[int], window_ms: int) -> None:
    index = made(durations)
    recent = index.recent(window_ms)
    assert [entry.msn for entry in recent] == list(range(len(durations)))[len(durations) - len(recent) :]
    assert bool(recent) == bool(durations)
    # Without the first entry the rest would not fill the window, with a tolerance of a millisecond.
    length = 1000 * sum(durations[-len(recent) :]) / RATE if recent else 0
    assert len(recent) <= 1 or length - 1000 * recent[0].duration / RATE <= window_ms + 2
    assert len(recent) == len(durations) or length >= window_ms - 2


def test_dropping_entries_leaves_the_rest_unchanged() -> None:
    index = made([2 * RATE] * 500)
    gone = index.forget(100_000)
    assert [entry.msn for entry in gone] == list(range(450))
    assert (len(index.entries), index.resolved, index.entries[0].msn) == (50, 50, 450)
    index.add(replace(index.entries[-1], msn=500, start=1000 * RATE, wall_ms=1_000_000))
    assert index.resolved == 50
    index.mark_resolved(500)
    assert index.resolved == 51


def test_the_window_is_right_after_a_change_of_timescale() -> None:
    """If 48 kHz changes to 44.1, the ticks of earlier entries can be larger than the newest one's."""
    index = made([2 * RATE] * 100)
    index.configure(Init("audio", 1, audio_config(44_100), None, b""))
    for msn in range(100, 103):
        start, wall_ms = msn * 2 * 44_100, msn * 2000
        index.add(SegmentEntry(msn, start, 2 * 44_100, 100, 1, msn == 100, False, wall_ms))
        index.mark_resolved(msn)
    assert [entry.msn for entry in index.recent(10_000)] == [98, 99, 100, 101, 102]


def test_a_lost_segment_becomes_a_gap_at_any_age() -> None:
    index = made([])
    for msn in range(300):
        index.add(SegmentEntry(msn, msn * RATE, RATE, 100, 0, False, False, 1000 * msn))
    index.lose(0)
    assert (index.entries[0].gap, index.entries[0].size, index.resolved) == (True, 0, 1)
    assert not index.entries[1].gap
