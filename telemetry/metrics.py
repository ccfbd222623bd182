"""The metrics of a node for Prometheus, with bounded cardinality. docs/metrics.md lists them.

A counter outlives its broadcast, so that rates stay correct across a reconnect. At most ``MAX_STREAMS`` streams
have their own labels; all others share one. What is counted for each request or part has no look-up of labels.
"""

import platform

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from telemetry.requests import RequestCounts
from telemetry.stream_metrics import StreamCounters, StreamMetrics

# Without the additional `_created` series of each counter, which no query uses.
disable_created_metrics()  # type: ignore[no-untyped-call]

MAX_STREAMS = 1000
OTHERS = "_others"
# In seconds: from a part that only waits for the loop, to a transcoder that cannot keep up.
LATENESS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
HOOK_OUTCOMES = ("delivered", "retry", "dead", "lost", "failed")
# Seconds.
LAGS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Has its own registry, so that several servers in one process do not share counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._streams: set[str] = set()
        self._stream_counters = StreamCounters(self.registry)
        self._build = Info("headwater_build", "The versions of this server", registry=self.registry)
        self._refused = self._counter("publishers_refused", "Publishers refused or dropped", "code")
        self._on_publish = self._counter(
            "on_publish", "Requests to the service of [on_publish] by outcome", "outcome"
        )
        self._connections = self._counter("http_refused", "HTTP connections refused or dropped by a limit", "code")
        self._api_refused = self._counter("api_refused", "API requests whose token was refused", "code")
        self._audit_lost = self._counter("audit_lost", "Entries of the audit log that the store did not take")
        self._hook_attempts = self._counter("hook_attempts", "Attempts to deliver webhook messages", "outcome")
        # Alerts need the series before the first failure.
        for outcome in HOOK_OUTCOMES:
            self._hook_attempts.labels(outcome)
        self._window_gaps = self._counter("window_gaps", "Live windows that missed a message", "stream")
        self._rung_sheds = self._counter(
            "rung_sheds", "Times that a rendition was shed, because encoding was too slow", "stream", "track"
        )
        self._deleted = self._counter("recordings_deleted", "Recordings that were deleted", "cause")
        self._deleted_objects = self._counter("deleted_objects", "Objects of deleted recordings")
        self._deleted_bytes = self._counter("deleted_bytes", "Their bytes")
        self._cache_purges = self._counter(
            "cache_purges", "Deleted objects that a cache was asked to forget", "result"
        )
        lateness = Histogram(
            "headwater_part_lateness_seconds",
            "Time from the arrival of a video part's last frame to the part's publication",
            ["made_by"],
            buckets=LATENESS_BUCKETS,
            registry=self.registry,
        )
        self._passed_lateness, self._encoded_lateness = lateness.labels("broadcaster"), lateness.labels("encoder")
        self._loop_lag = Histogram(
            "headwater_event_loop_lag_seconds",
            "How late the event loop is",
            buckets=LAGS,
            registry=self.registry,
        )
        self.served = RequestCounts(self.registry).add
        self._certificate: Gauge | None = None

    def exposition(self) -> tuple[bytes, str]:
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def collect(self, collector: Collector) -> None:
        """Add the metrics that ``collector`` yields at each scrape."""
        self.registry.register(collector)

    def set_versions(self, *, version: str, pyav: str = "", ffmpeg: str = "") -> None:
        """Empty versions are not known yet."""
        self._build.info({"version": version, "python": platform.python_version(), "pyav": pyav, "ffmpeg": ffmpeg})

    def set_certificate(self, expires_at: float) -> None:
        """The RTMPS certificate was loaded. ``expires_at`` is Unix seconds."""
        if self._certificate is None:
            text = "When the RTMPS certificate expires, in Unix time; 0 if it is not valid"
            self._certificate = Gauge(
                "headwater_certificate_expiry_timestamp_seconds", text, registry=self.registry
            )
        self._certificate.set(expires_at)

    def publisher_refused(self, code: str) -> None:
        self._refused.labels(code).inc()

    def on_publish(self, outcome: str) -> None:
        self._on_publish.labels(outcome).inc()

    def connection_refused(self, code: str) -> None:
        self._connections.labels(code).inc()

    def api_refused(self, code: str) -> None:
        self._api_refused.labels(code).inc()

    def loop_lag(self, seconds: float) -> None:
        self._loop_lag.observe(seconds)

    def audit_lost(self, count: int) -> None:
        self._audit_lost.inc(count)

    def recording_deleted(self, cause: str, objects: int, size: int) -> None:
        """``objects`` of together ``size`` bytes were deleted."""
        self._deleted.labels(cause).inc()
        self._deleted_objects.inc(objects)
        self._deleted_bytes.inc(size)

    def cache_purged(self, result: str, count: int) -> None:
        self._cache_purges.labels(result).inc(count)

    def hook_attempt(self, outcome: str) -> None:
        self._hook_attempts.labels(outcome).inc()

    def window_gap(self, stream: str) -> None:
        """A live window missed a message, and viewers got its broadcast from the store meanwhile."""
        self._window_gaps.labels(self._label(stream)).inc()

    def rung_shed(self, stream: str, track: str) -> None:
        self._rung_sheds.labels(self._label(stream), track).inc()

    def part_published(self, encoded: bool, seconds: float) -> None:
        """A part of video was published ``seconds`` after its last frame had arrived."""
        (self._encoded_lateness if encoded else self._passed_lateness).observe(seconds)

    def of_stream(self, stream: str) -> StreamMetrics:
        return StreamMetrics(self._stream_counters, self._label(stream))

    def _label(self, stream: str) -> str:
        """The stream, or the label that all streams beyond the bound share."""
        if stream not in self._streams and len(self._streams) >= MAX_STREAMS:
            stream = OTHERS
        self._streams.add(stream)
        return stream

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"headwater_{name}", text, labels, registry=self.registry)
