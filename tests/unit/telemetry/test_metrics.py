"""The metrics: their names follow Prometheus's conventions, their labels are bounded, and all are documented.

https://prometheus.io/docs/practices/naming/ and the rules of ``promtool check metrics``.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client.core import Metric

from live.bus import Bus
from live.gauges import HeldCollector, LiveCollector
from origin import kinds
from origin.kinds import kind_of
from origin.live import LiveWindows
from origin.paths import Resource
from origin.qoe.cmcd import Report
from origin.qoe.gauges import QoeCollector
from origin.qoe.ladder import Ladder
from origin.qoe.streams import StreamsFigures
from packager.facts import SegmentEntry
from storage.keeping import Recording, Space
from storage.keeping.usage import usage_of
from storage.spool import Spool
from telemetry.hook_gauges import HookCollector
from telemetry.lost_lines import LostLinesCollector
from telemetry.metrics import MAX_STREAMS, Metrics
from telemetry.requests import CLASSES, KINDS, UNKNOWN
from telemetry.spool_gauges import SpoolCollector
from telemetry.usage_gauges import UsageCollector
from tests.unit.live.test_gauges import View
from tests.unit.origin.api.live import status

DOCUMENTED = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text()
# Units other than the base units, abbreviations, and the names of types.
FORBIDDEN = re.compile(
    r"_(?:ms|us|ns|s|sec|milliseconds|minutes|hours|days|kb|mb|gb|kilobytes|megabytes|bits|bps|kbps|fps|percent"
    r"|counter|gauge|histogram|summary)(?:_|$)"
)
MADE = SegmentEntry(1, 0, 180_000, 1000, 1, False, gap=False, wall_ms=0)
GAP = SegmentEntry(2, 180_000, 180_000, 0, 1, False, gap=True, wall_ms=2000)

RECORDING = Recording("studio", "20261121t104105z-ab12cd", 0.0, 60.0, bytes=1000)


def everything() -> Metrics:
    """All metrics of a server, each with a value."""
    metrics = Metrics()
    metrics.set_versions(version="9.9.9", pyav="18.1.0", ffmpeg="8.0.1")
    metrics.set_certificate(1_795_257_665)
    metrics.collect(
        LiveCollector(View(status("studio"), waiting=[("studio", 1000, 2.5)], encoded=[("studio", 2.5, 1)]))
    )
    metrics.collect(HeldCollector(LiveWindows(Bus())))
    metrics.collect(LostLinesCollector(lambda: 1))
    metrics.collect(SpoolCollector(Spool(Path("spool"), max_bytes=1)))
    metrics.collect(HookCollector(SimpleNamespace(pending=2, dead=1)))
    stream = metrics.of_stream("studio")
    metrics.collect(UsageCollector(lambda: usage_of([RECORDING], Space(free=2, capacity=3))))
    metrics.recording_deleted("max-age", 3, 1000)
    metrics.cache_purged("done", 3)
    for entry in (MADE, GAP):
        stream.segment_made("vsource", entry)
    stream.segment_lost("vsource", None)
    stream.units_dropped({"late-audio": 1})
    stream.transcoder_restarts(1)
    stream.transcoder_lost({"v360p": 3.2})
    stream.publisher_lost("lost")
    stream.discontinuities({"hole": 1})
    stream.no_media({"stalled": 2.5})
    stream.publisher_switched("stalled")
    metrics.publisher_refused("publish-refused")
    metrics.on_publish("allowed")
    metrics.connection_refused("head-too-large")
    metrics.api_refused("unauthorized")
    metrics.audit_lost(1)
    metrics.hook_attempt("delivered")
    metrics.window_gap("studio")
    metrics.part_published(False, 0.004)
    metrics.rung_shed("studio", "v720p")
    figures = StreamsFigures()
    report = Report(session="s", stream="studio", state="p", kbps=2500, latency_ms=1500, start_ms=800)
    figures.take("studio", [report], Ladder(), 0.0)
    metrics.collect(QoeCollector(figures, {"accepted": 1}, lambda: 0.0))
    return metrics


def ours(metrics: Metrics) -> Iterator[Metric]:
    for family in metrics.registry.collect():
        if family.name.startswith("headwater"):
            yield family


def samples(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The values of one metric by the values of its labels."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == f"headwater_{name}"
    }


def test_names_follow_the_conventions() -> None:
    for family in ours(everything()):
        assert re.fullmatch(r"headwater(?:_[a-z]+)+", family.name), family.name
        assert not FORBIDDEN.search(family.name), family.name
        assert family.documentation and not family.documentation.endswith("."), family.name
        for sample in family.samples:
            assert all(re.fullmatch(r"[a-z_]+", label) for label in sample.labels), sample.name
            assert (family.type == "counter") == sample.name.endswith("_total"), sample.name
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_bytes")), family.name
        # The unit is the last part of the name, but for a rate.
        assert not re.search(r"_(?:seconds|bytes|frames)_(?!per_second$)", family.name), family.name


def test_every_metric_is_documented_and_no_other() -> None:
    exposed = {
        family.name + {"counter": "_total", "info": "_info"}.get(family.type, "") for family in ours(everything())
    }
    assert set(re.findall(r"^\| `(headwater_\w+)`", DOCUMENTED, re.MULTILINE)) == exposed


def test_labels_are_documented() -> None:
    for family in ours(everything()):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        (row,) = re.findall(rf"^\| `{family.name}(?:_total|_info)?`.*$", DOCUMENTED, re.MULTILINE)
        assert labels == set(re.findall(r"`(\w+)`", row.split("|")[2])), family.name


def test_the_build_has_all_versions() -> None:
    text = everything().exposition()[0].decode()
    (line,) = [line for line in text.splitlines() if line.startswith("headwater_build_info{")]
    for label in ('version="9.9.9"', 'python="3.', 'pyav="18.1.0"', 'ffmpeg="8.0.1"'):
        assert label in line
    assert line.endswith(" 1.0")


def test_requests_are_counted_by_kind_and_class() -> None:
    metrics = Metrics()
    for served in (("part", 200, 100), ("part", 206, 50), ("part", 404, 9), ("page", 304, 0), ("made up", 500, 9)):
        metrics.served(*served)
    counted = {labels: count for labels, count in samples(metrics, "requests_total").items() if count}
    assert counted == {("part", "2xx"): 2, ("part", "4xx"): 1, ("page", "3xx"): 1, (UNKNOWN, "5xx"): 1}
    assert samples(metrics, "served_bytes_total")["part",] == 150


def test_the_series_of_requests_do_not_depend_on_requests() -> None:
    metrics = Metrics()
    before = len(samples(metrics, "requests_total"))
    for number in range(1000):
        metrics.served(f"kind-{number}", 100 + number % 500, 1)
    assert len(samples(metrics, "requests_total")) == before == (len(KINDS) + 1) * len(CLASSES)


def test_every_kind_has_its_series() -> None:
    counted = {*kinds.EXACT.values(), *(kind for _, kind in kinds.PREFIXES)}
    assert counted | {resource.value for resource in Resource} | {"refused"} == set(KINDS)
    assert kinds.UNKNOWN == UNKNOWN


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "page"),
        ("/watch/studio", "page"),
        ("/api/v1/docs", "page"),
        ("/static/0123/js/dom.js", "static"),
        ("/api/v1/watch/studio", "status"),
        ("/api/v1/cmcd", "report"),
        ("/api/v1/streams", "api"),
        ("/time/studio/20261121t104105z-ab12cd", "clock"),
        ("/timer", "unknown"),
        ("/readyz", "health"),
        ("/wp-login.php", "unknown"),
    ],
)
def test_the_kind_of_a_path(path: str, kind: str) -> None:
    assert kind_of(path) == kind


def test_lateness_is_measured_in_seconds() -> None:
    metrics = Metrics()
    metrics.part_published(False, 0.004)
    metrics.part_published(True, 0.3)
    assert samples(metrics, "part_lateness_seconds_sum") == {("broadcaster",): 0.004, ("encoder",): 0.3}
    buckets = samples(metrics, "part_lateness_seconds_bucket")
    assert (buckets["broadcaster", "0.0025"], buckets["broadcaster", "0.005"]) == (0, 1)
    assert (buckets["encoder", "0.25"], buckets["encoder", "0.5"]) == (0, 1)


def test_streams_beyond_the_bound_share_one_label() -> None:
    metrics = Metrics()
    for number in range(MAX_STREAMS + 5):
        metrics.of_stream(str(number)).segment_lost("vsource", None)
    lost = samples(metrics, "segments_lost_total")
    assert len(lost) == MAX_STREAMS + 1
    assert lost["_others", "vsource", "too-slow"] == 5


def test_a_reconnect_does_not_reset_a_streams_counters() -> None:
    metrics = Metrics()
    for _ in range(2):
        stream = metrics.of_stream("studio")
        stream.transcoder_restarts(1)
        stream.transcoder_restarts(2)
        stream.units_dropped({"late-audio": 3})
    assert samples(metrics, "transcoder_restarts_total") == {("studio",): 4}
    assert samples(metrics, "units_dropped_total") == {("studio", "late-audio"): 6}


def test_a_gap_is_no_segment() -> None:
    metrics = Metrics()
    stream = metrics.of_stream("studio")
    for entry in (MADE, GAP):
        stream.segment_made("vsource", entry)
    assert samples(metrics, "segments_total") == {("studio", "vsource"): 1}
    assert samples(metrics, "segment_bytes_total") == {("studio", "vsource"): 1000}
    assert samples(metrics, "segment_gaps_total") == {("studio", "vsource"): 1}


def test_the_use_of_the_smallest_streams_is_one_series() -> None:
    metrics = Metrics()
    recordings = [
        Recording(f"s{number:04}", "20261121t104105z-ab12cd", 0.0, 60.0, bytes=1 + number)
        for number in range(MAX_STREAMS + 2)
    ]
    metrics.collect(UsageCollector(lambda: usage_of(recordings, None)))
    sizes = samples(metrics, "recording_bytes")
    assert len(sizes) == MAX_STREAMS + 1
    assert sizes[("_others",)] == 1 + 2
    assert samples(metrics, "recordings")[("_others",)] == 2
    assert samples(metrics, "store_free_bytes") == {}
