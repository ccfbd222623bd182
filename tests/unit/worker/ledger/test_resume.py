"""A broadcast may stop after any access unit. If it continues from its encoded ledger, it equals an uninterrupted
broadcast, except for the segments that were open and one discontinuity."""

from dataclasses import replace

import m3u8
from hypothesis import given, settings
from hypothesis import strategies as st

from packager.facts import SegmentEntry
from tests.unit.worker.ledger.line import Line
from worker.ledger import BroadcastLedger, decode_ledger, encode_ledger
from worker.stored_texts import StoredTexts

GOPS = st.lists(st.integers(50, 73), min_size=3, max_size=6)


def finished(line: Line) -> BroadcastLedger:
    line.close()
    return line.ledger


def interrupted(gops: list[int], stop: int) -> tuple[BroadcastLedger, BroadcastLedger, int]:
    """The ledger of a broadcast that stopped after ``stop`` units and continued, the ledger of an uninterrupted
    one, and the number of the last segment cut before the stop."""
    whole, first = Line(gops=gops), Line(gops=gops)
    units = whole.units()
    stop = min(stop, len(units))
    whole.feed(units)
    first.feed(units[:stop])
    resumed = decode_ledger(encode_ledger(first.ledger))
    last = resumed.last_cut.msn if resumed.last_cut is not None else 0
    resumed.interrupt()
    second = Line(resumed, gops)
    second.feed(units[stop:])
    return finished(second), finished(whole), last


def timeless(entry: SegmentEntry) -> SegmentEntry:
    """The entry without the fields that a preceding discontinuity changes: its runs, counts and flag."""
    return replace(entry, run=None, pace=None, grid=None, discontinuity=False, discontinuities=0)


@given(GOPS, st.integers(1, 900))
@settings(max_examples=60)
def test_numbers_and_times_equal_those_of_an_uninterrupted_broadcast(gops: list[int], stop: int) -> None:
    resumed, whole, last = interrupted(gops, stop)
    for name, track in whole.tracks.items():
        expected, found = list(track.entries), list(resumed.tracks[name].entries)
        assert [entry.msn for entry in found] == [entry.msn for entry in expected]
        for entry, other in zip(found, expected, strict=True):
            if entry.gap:
                # The segment was open at the stop, or had not begun on this track.
                assert last - 1 <= entry.msn <= last
                assert entry.duration <= other.duration + track.target_ms
            elif entry.msn > last + 1:
                # The first audio frame after a discontinuity starts exactly at the cut.
                assert timeless(entry) == timeless(other)
            else:
                assert (entry.msn, entry.init, entry.independent) == (other.msn, other.init, other.independent)


@given(GOPS, st.integers(1, 900))
@settings(max_examples=60)
def test_resuming_adds_one_discontinuity(gops: list[int], stop: int) -> None:
    resumed, whole, last = interrupted(gops, stop)
    for name, track in resumed.tracks.items():
        marked = [entry.msn for entry in track.entries if entry.discontinuity]
        goes_on = whole.tracks[name].entries[-1].msn > last
        assert marked == ([last + 1] if goes_on and last else [])
        assert all(entry.discontinuities == (entry.msn > last + 1 and last > 0) for entry in track.entries)


@given(GOPS, st.integers(1, 900))
@settings(max_examples=30)
def test_stored_playlists_list_the_same_segments(gops: list[int], stop: int) -> None:
    resumed, whole, last = interrupted(gops, stop)
    for name in whole.tracks:
        expected, found = playlist(whole, name), playlist(resumed, name)
        assert found.media_sequence == expected.media_sequence
        assert [segment.uri for segment in found.segments] == [segment.uri for segment in expected.segments]
        assert found.is_endlist and expected.is_endlist
        before = [segment for segment in found.segments if int((segment.uri or "").split(".")[0]) < last - 1]
        assert [str(segment) for segment in before] == [str(one) for one in expected.segments[: len(before)]]


def playlist(ledger: BroadcastLedger, track: str) -> m3u8.M3U8:
    text = StoredTexts(ledger, lambda: 0.0).media(ledger.tracks[track])
    assert text is not None
    return m3u8.loads(text.decode())


def test_a_writer_never_reuses_a_number_or_a_fragment_sequence() -> None:
    resumed, _, last = interrupted([60, 60, 60], 150)
    for track in resumed.tracks.values():
        numbers = [entry.msn for entry in track.entries]
        assert numbers == sorted(set(numbers)) and last in numbers
        assert track.fragments > 0


def test_audio_held_at_the_stop_becomes_a_gap_and_not_a_hole() -> None:
    line = Line()
    units = line.units()
    cut_at = next(place for place, unit in enumerate(units) if unit.key and unit.dts == 60 * 3000)
    line.feed(units[: cut_at + 1])
    resumed = decode_ledger(encode_ledger(line.ledger))
    gaps = resumed.interrupt()
    assert [entry.msn for entry in gaps["vsource"]] == [2]
    assert [entry.msn for entry in gaps["asource"]][-1] == 2
    ends = {name: [entry.msn for entry in track.entries] for name, track in resumed.tracks.items()}
    assert ends == {name: [1, 2] for name in ends}
