"""A journal's lines describe the ledger, also if the last one was cut off."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.worker.ledger.line import Line
from worker.ledger import Course, EmptyJournal, MalformedLedger, encode_ledger, read_journal
from worker.ledger.journal import JournalLines

COURSE = Course(1_700_000_000.5)


def journaled(line: Line, steps: list[int]) -> tuple[bytes, list[bytes]]:
    """The journal with a line after each of ``steps`` units, and the encoded ledgers at these moments."""
    lines, journal, states = JournalLines(line.ledger), [], []
    units = line.units()
    for count in steps:
        line.feed(units[:count])
        del units[:count]
        journal.append(lines.next(COURSE))
        states.append(encode_ledger(line.ledger))
    return b"".join(journal), states


@given(st.lists(st.integers(1, 200), min_size=1, max_size=6))
@settings(max_examples=25)
def test_the_ledger_of_a_journal_is_that_of_its_last_line(steps: list[int]) -> None:
    journal, states = journaled(Line(), steps)
    ledger, course = read_journal(journal)
    assert encode_ledger(ledger) == states[-1]
    assert course == COURSE


def test_a_line_that_was_cut_off_is_left_out() -> None:
    journal, states = journaled(Line(), [100, 100, 100])
    ledger, _ = read_journal(journal[:-20])
    assert encode_ledger(ledger) == states[1]


def test_a_line_has_changes_only() -> None:
    line = Line()
    lines, units = JournalLines(line.ledger), line.units()
    line.feed(units[:500])
    first = len(lines.next(COURSE))
    assert len(lines.next(COURSE)) < first / 2


def test_entries_that_are_lost_later_or_forgotten_are_so_in_the_journal() -> None:
    line = Line()
    lines, units = JournalLines(line.ledger), line.units()
    line.feed(units[:600])
    journal = lines.next(COURSE)
    track = line.ledger.tracks["vsource"]
    track.entries[1] = replace(track.entries[1], gap=True, size=0)
    track.forget(2000)
    journal += lines.next(COURSE)
    ledger, _ = read_journal(journal)
    assert list(ledger.tracks["vsource"].entries) == list(track.entries)
    assert ledger.tracks["vsource"].resolved == track.resolved


def test_a_journal_begins_again_with_everything() -> None:
    line = Line()
    lines, units = JournalLines(line.ledger), line.units()
    line.feed(units[:300])
    lines.next(COURSE)
    lines.restart()
    line.feed(units[300:600])
    ledger, _ = read_journal(lines.next(COURSE))
    assert encode_ledger(ledger) == encode_ledger(line.ledger)


@pytest.mark.parametrize("journal", [b"", b"{", b'{"number": 1}\n'])
def test_a_journal_without_its_first_line_is_empty(journal: bytes) -> None:
    with pytest.raises(EmptyJournal):
        read_journal(journal)


def test_a_journal_whose_entries_are_cut_off_is_refused() -> None:
    journal, _ = journaled(Line(), [400])
    damaged = journal.replace(b'"stream":"studio"', b'"stream":"../x"')
    with pytest.raises(MalformedLedger):
        read_journal(damaged)
