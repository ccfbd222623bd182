"""The findings and verdict that bench.players computes from a page's record."""

from dataclasses import replace

import pytest

from tests.lab.players.findings import Findings, find
from tests.lab.players.recorder import Record, Sample, Stall, read_record
from tests.lab.players.run import PhaseSpan, Run
from tests.lab.players.verdict import judge

SEGMENT_S = 2.0
SPANS = (PhaseSpan(1, 31, None), PhaseSpan(31, 61, 2000), PhaseSpan(61, 91, None))
HEIGHTS = {None: 720, 2000: 360}


def sample(at: float, height: int) -> Sample:
    return Sample(at, position=at, rate=1.0, height=height, latency=1.1, target=1.0, buffered=0.9, glass=1.2)


def record(*stalls: Stall) -> Record:
    samples = [
        sample(at / 10, HEIGHTS[span.kbps])
        for span in SPANS
        for at in range(int(10 * span.start), int(10 * span.end))
    ]
    return Record(1.0, tuple(samples), stalls, ())


def found(taken: Record) -> Findings:
    return find(Run("hls", SPANS, taken))


def failed(findings: Findings) -> list[str]:
    return [criterion.name for criterion in judge(findings, SEGMENT_S) if not criterion.held]


def test_a_good_run_passes() -> None:
    findings = found(record())
    assert failed(findings) == []
    assert [height for _, height in findings.rungs] == [720, 360, 720]
    assert findings.latency.p50 == 1.1
    assert [part.glass.p95 for part in findings.parts] == [1.2, 1.2, 1.2]
    assert [round(each.at) for each in findings.timeline[:3]] == [2, 3, 4]


def test_a_stall_fails_whether_it_ends_or_not() -> None:
    assert failed(found(record(Stall(40, 0.5, 40)))) == ["no stall after the start"]
    assert failed(found(record(Stall(40, None, 40)))) == ["no stall after the start"]


def shifted(taken: Record, at: float, by: float) -> Record:
    moved = [replace(each, position=each.position + by) if each.at >= at else each for each in taken.samples]
    return replace(taken, samples=tuple(moved))


@pytest.mark.parametrize(("left_out", "fails"), [(1.5, []), (2.5, ["at most one segment lost"])])
def test_one_segment_may_be_skipped(left_out: float, fails: list[str]) -> None:
    findings = found(shifted(record(), 50, left_out))
    assert failed(findings) == fails
    ((at, length),) = findings.jumps
    assert at == pytest.approx(50)
    assert length == pytest.approx(left_out, abs=0.01)


def test_the_rendition_has_to_follow_the_network() -> None:
    stuck = tuple(replace(each, height=720) for each in record().samples)
    assert failed(found(replace(record(), samples=stuck))) == [
        "switches down with the network",
        "switches up with the network",
    ]


def test_lateness_speed_and_a_missing_latency_fail() -> None:
    samples = tuple(replace(each, glass=1.6, rate=1.05, latency=None) for each in record().samples)
    assert failed(found(replace(record(), samples=samples))) == [
        "plays at 0.97 to 1.03",
        "reports its latency",
        "glass to glass p50 at most 1.5 s",
        "glass to glass p50 at most 1.5 s",
    ]


def test_the_pages_record_is_read() -> None:
    collected = {
        "started": 1.5,
        "samples": [[1.5, 0.1, 1, 360, None, 1, 0.4, None]],
        "stalls": [{"at": 2, "length": None, "position": 0.5}],
        "seeks": [],
    }
    taken = read_record(collected, ["oh"])
    assert taken.samples == (Sample(1.5, 0.1, 1, 360, None, 1, 0.4, None),)
    assert taken.stalls == (Stall(2, None, 0.5),)
    assert taken.complaints == ("oh",)
