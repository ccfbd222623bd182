"""Renditions that the current source does not have."""

from tests.unit.worker.ledger.line import Line
from worker.ledger import BroadcastLedger


def retired(ledger: BroadcastLedger) -> set[str]:
    return {track.track for track in ledger.live_facts().tracks if track.retired}


def test_a_rendition_that_the_source_no_longer_has_is_retired_until_it_is_expected_again() -> None:
    line = Line()
    line.feed(line.units())
    assert line.ledger.retire_renditions({"vsource", "asource"})
    assert retired(line.ledger) == {"v360p"}
    assert not line.ledger.retire_renditions({"vsource", "asource"})
    line.ledger.expect("v360p", line.ledger.tracks["v360p"].kind)
    assert retired(line.ledger) == set()


def test_a_source_without_video_retires_nothing() -> None:
    line = Line()
    line.feed(line.units())
    assert not line.ledger.retire_renditions({"asource"})
    assert retired(line.ledger) == set()


def test_audio_is_never_retired() -> None:
    line = Line()
    line.feed(line.units())
    assert not line.ledger.retire_renditions({"vsource", "v360p"})
    assert retired(line.ledger) == set()
