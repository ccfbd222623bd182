"""Gauges of what recordings occupy, and of the room for more."""

from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from storage.keeping import Usage
from telemetry.metrics import MAX_STREAMS, OTHERS


class UsageCollector(Collector):
    """``usage`` returns the last known use, without asking the store."""

    def __init__(self, usage: Callable[[], Usage]) -> None:
        self._usage = usage

    def collect(self) -> Iterable[Metric]:
        usage = self._usage()
        size = GaugeMetricFamily("headwater_recording_bytes", "Media of the recordings", labels=["stream"])
        count = GaugeMetricFamily("headwater_recordings", "Recordings in the store", labels=["stream"])
        largest_first = sorted(usage.streams, key=lambda each: each.bytes, reverse=True)
        for stream in largest_first[:MAX_STREAMS]:
            size.add_metric([stream.stream], stream.bytes)
            count.add_metric([stream.stream], stream.recordings)
        if others := largest_first[MAX_STREAMS:]:
            size.add_metric([OTHERS], sum(each.bytes for each in others))
            count.add_metric([OTHERS], sum(each.recordings for each in others))
        yield from (size, count)
        if usage.space is not None:
            yield GaugeMetricFamily("headwater_store_free_bytes", "Free room of its disk", value=usage.space.free)
            yield GaugeMetricFamily(
                "headwater_store_capacity_bytes", "Size of its disk", value=usage.space.capacity
            )
