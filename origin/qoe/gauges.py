"""The figures of playback for Prometheus. They are claims of viewers."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from origin.qoe.figures import Sums
from origin.qoe.streams import StreamsFigures

COUNTERS: tuple[tuple[str, str, Callable[[Sums], float]], ...] = (
    ("headwater_qoe_stalls", "Times that playback stood still", lambda sums: sums.stalls),
    ("headwater_qoe_stalled_seconds", "Time for which playback stood still", lambda sums: sums.stalled_s),
    ("headwater_qoe_played_seconds", "Time for which media played", lambda sums: sums.played_s),
    ("headwater_qoe_errors", "Errors of players", lambda sums: sums.errors),
)


class QoeCollector(Collector):
    """``outcomes`` counts what became of reports. ``clock`` returns monotonic seconds."""

    def __init__(self, figures: StreamsFigures, outcomes: Mapping[str, int], clock: Callable[[], float]) -> None:
        self._figures = figures
        self._outcomes = outcomes
        self._clock = clock

    def collect(self) -> Iterable[Metric]:
        streams, now = self._figures.streams, self._clock()
        self._figures.expire(now)
        by_rendition = ["stream", "rendition"]
        reports = CounterMetricFamily("headwater_qoe_reports", "Reports of players", labels=["outcome"])
        for outcome, count in self._outcomes.items():
            reports.add_metric([outcome], count)
        yield reports
        for name, text, value in COUNTERS:
            counter = CounterMetricFamily(name, text, labels=by_rendition)
            for stream, figures in streams.items():
                for rendition, sums in figures.totals.items():
                    counter.add_metric([stream, rendition], value(sums))
            yield counter
        sessions = GaugeMetricFamily("headwater_qoe_sessions", "Sessions that report", labels=by_rendition)
        bitrate = GaugeMetricFamily(
            "headwater_qoe_bytes_per_second", "Mean of the bitrates that they report", labels=by_rendition
        )
        starts = HistogramMetricFamily("headwater_qoe_start_seconds", "Time to start playback", labels=["stream"])
        latency = HistogramMetricFamily("headwater_qoe_latency_seconds", "Time behind live", labels=["stream"])
        for stream, figures in streams.items():
            for rendition, (count, mean_bps) in figures.present(now).items():
                sessions.add_metric([stream, rendition], count)
                if mean_bps is not None:
                    bitrate.add_metric([stream, rendition], mean_bps / 8)
            for family, values in ((starts, figures.starts), (latency, figures.latencies)):
                family.add_metric([stream], buckets=values.cumulative(), sum_value=values.sum)
        yield from (sessions, bitrate, starts, latency)
