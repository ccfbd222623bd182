from collections import Counter

from bench.herd.__main__ import BENCHMARK
from bench.herd.lateness import lateness, made_times
from bench.herd.origin_counts import parse_counts
from bench.herd.report import Moment, Report, report
from bench.runner.distribution import Distribution, distribution
from tests.lab.viewers.record import Record, together
from tests.unit.bench.sections import section


def test_percentiles_are_by_the_nearest_rank() -> None:
    assert distribution([n / 1000 for n in range(1000, 0, -1)]) == Distribution(1000, 500.0, 990.0, 999.0, 1000.0)
    assert distribution([0.0014]) == Distribution(1, 1.4, 1.4, 1.4, 1.4)
    assert distribution([]) == Distribution(0, 0.0, 0.0, 0.0, 0.0)


def test_a_part_is_made_when_the_first_client_has_it() -> None:
    probe, viewers = Record(), Record()
    for path in ("a", "b", "c"):
        probe.named(path, 10.0)
    probe.arrived("b", 0.0, 9.75, 9.75)
    probe.arrived("b", 0.0, 11.0, 11.0)
    viewers.arrived("c", 0.0, 9.5, 9.5)
    viewers.arrived("never listed", 0.0, 9.0, 9.0)
    assert made_times(probe, viewers) == {"a": 10.0, "b": 9.75, "c": 9.5}


def test_lateness_counts_parts_made_while_the_viewer_was_present() -> None:
    record = Record()
    record.arrived("a", 5.0, 10.25, 10.25)
    record.arrived("a", 10.125, 10.5, 10.5)
    record.arrived("a", 10.0, 10.0, 10.0)
    record.arrived("in vain", 5.0, 10.0, 10.0)
    assert lateness(record.arrivals, {"a": 10.0}) == [0.25, 0.0]


def test_records_of_processes_are_merged() -> None:
    one, other = Record(), Record()
    for record, now in ((one, 7.5), (other, 6.5)):
        record.answered("part", "/p", 100, now)
        record.arrived("/p", 1.0, now, now)
        record.named("/p", now)
        record.failed("part", "timeout")
        record.lag.append(now)
    whole = together([one, other])
    assert whole.requests == {"part": 2}
    assert whole.seconds == {7: 1, 6: 1}
    assert whole.errors == {"part: timeout": 2}
    assert whole.urls == {"/p": 6.5}
    assert whole.listed == {"/p": 6.5}
    assert list(whole.arrivals["/p"]) == [1.0, 7.5, 1.0, 6.5]
    assert (whole.received_bytes, list(whole.lag)) == (200, [7.5, 6.5])


def finished() -> Report:
    herd, probe = Record(), Record()
    for second in range(20):
        for viewer in range(10):
            herd.answered("part", f"/{second}", 1000, second + viewer / 100)
    probe.named("/15", 15.0)
    herd.arrived("/15", 1.0, 15.02, 15.02)
    first = Moment(9.5, Counter(part=100, playlist=50), Counter(part=10, playlist=5), {"nginx": 1.0})
    last = Moment(19.5, Counter(part=130, playlist=70, api=9), Counter(part=20, playlist=15), {"nginx": 3.5})
    return report(10, 3, "nginx", (herd, probe), (first, last))


def test_the_report() -> None:
    found = finished()
    assert (found.requests, found.requests_per_second, found.slowest_second) == (200, 10.0, 10)
    assert found.origin_requests == {"master": 0, "playlist": 10, "init": 0, "part": 20}
    assert (found.share.answered, found.share.urls, found.share.origin) == (100, 10, 30)
    assert (found.share.per_url, found.share.of_answered) == (3.0, 0.3)
    assert found.lateness_ms.max == 20.0
    assert found.cpu_cores == {"nginx": 0.25}
    assert found.seconds == 10.0


def test_the_report_as_a_table() -> None:
    rows = section(BENCHMARK, ("10 viewers", {"nginx": [finished()]})).tables[0].rows
    values = {row.values["what"]: row.values["value"] for row in rows}
    assert values["origin requests per distinct URL"] == "3.0"
    assert values["requests at the origin"] == "30 (30.00% of the viewers')"
    assert values["CPU cores, nginx"] == "0.25"
    assert values["errors"] == "none"


def test_the_origins_metrics_are_parsed() -> None:
    text = (
        "# TYPE headwater_requests_total counter\n"
        'headwater_requests_total{kind="part",status="2xx"} 12.0\n'
        'headwater_requests_total{kind="part",status="4xx"} 1.0\n'
        'headwater_requests_total{kind="playlist",status="2xx"} 1e+06\n'
        'headwater_served_bytes_total{kind="part"} 5.0\n'
    )
    assert parse_counts(text) == {"part": 13, "playlist": 1_000_000}
