"""An encoded and decoded ledger is the same value, and damaged bytes are refused."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.worker.ledger.line import Line
from worker.ledger import MalformedLedger, decode_ledger, encode_ledger


@given(st.integers(0, 400))
@settings(max_examples=25)
def test_a_decoded_ledger_has_the_same_facts_and_entries(frames: int) -> None:
    line = Line()
    line.feed(line.units()[:frames])
    line.ledger.retire_renditions({"vsource"})
    before, after = line.ledger, decode_ledger(encode_ledger(line.ledger))
    assert encode_ledger(after) == encode_ledger(before)
    assert after.live_facts() == before.live_facts()
    assert after.stored_facts() == before.stored_facts()
    assert (after.phase, after.end, after.cuts) == (before.phase, before.end, before.cuts)
    for name, track in before.tracks.items():
        read = after.tracks[name]
        assert list(read.entries) == list(track.entries)
        assert (read.inits, read.resolved, read.fragments) == (track.inits, track.resolved, track.fragments)
        assert (read.peak_bps, read.average_bps()) == (track.peak_bps, track.average_bps())


def test_peaks_continue_after_decoding() -> None:
    line, units = Line(), Line().units()
    line.feed(units[:200])
    other = Line(decode_ledger(encode_ledger(line.ledger)))
    last = line.ledger.tracks["vsource"].entries[-1]
    for ledger in (line.ledger, other.ledger):
        track = ledger.tracks["vsource"]
        assert track.peak is not None
        track.peak.add(50_000, last.duration // 4)
        track.peak.add(90_000, last.duration)
    assert line.ledger.tracks["vsource"].peak_bps == other.ledger.tracks["vsource"].peak_bps


def encoded() -> dict[str, object]:
    line = Line()
    line.feed(line.units())
    fields = json.loads(encode_ledger(line.ledger))
    assert isinstance(fields, dict)
    return fields


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, "damaged"),
        ({"stream": "../x"}, "names no stream"),
        ({"target_ms": 0}, "damaged"),
        ({"phase": "paused"}, "damaged"),
        ({"cuts": [{"msn": 1}]}, "damaged"),
        ({"end": -1}, "damaged"),
    ],
)
def test_damaged_fields_are_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(MalformedLedger, match=words):
        decode_ledger(json.dumps({**encoded(), **change}).encode())


def test_truncated_or_unordered_entries_are_refused() -> None:
    fields = encoded()
    tracks = fields["tracks"]
    assert isinstance(tracks, list)
    records = urlsafe_b64decode(tracks[0]["entries"] + "==")
    size = len(records) // 3
    for damaged, words in (
        (records[:-1], "cut off"),
        (records[size : 2 * size] + records[:size], "out of order|do not match"),
        (b"", "do not match"),
    ):
        tracks[0]["entries"] = urlsafe_b64encode(damaged).decode()
        with pytest.raises(MalformedLedger, match=words):
            decode_ledger(json.dumps(fields).encode())


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedLedger):
        decode_ledger(data)


def test_fields_of_a_newer_version_are_ignored() -> None:
    fields = encoded()
    assert (
        encode_ledger(decode_ledger(json.dumps({**fields, "colour": "blue"}).encode()))
        == json.dumps(fields, separators=(",", ":")).encode()
    )
