"""Gauges of the broadcasts on air on this node."""

from collections.abc import Iterable
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from live.status import StreamState, StreamStatus
from telemetry.metrics import MAX_STREAMS


class LiveView(Protocol):
    """The node's own broadcasts, read at each scrape."""

    def statuses(self) -> Iterable[StreamStatus]: ...

    def uploads(self) -> Iterable[tuple[str, int, float]]:
        """The stream, the bytes waiting for the store and the age of the oldest upload in seconds."""
        ...


class LiveCollector(Collector):
    """Creates the gauges at each scrape, so that an ended broadcast leaves no series."""

    def __init__(self, view: LiveView) -> None:
        self._view = view

    def collect(self) -> Iterable[Metric]:
        streams = GaugeMetricFamily("headwater_streams", "Streams on air", labels=["state"])
        bitrate = GaugeMetricFamily("headwater_source_bitrate_bps", "What publishers send", labels=["stream"])
        fps = GaugeMetricFamily("headwater_source_fps", "Frames a second", labels=["stream"])
        interval = GaugeMetricFamily(
            "headwater_source_keyframe_interval_seconds", "Between the last keyframes", labels=["stream"]
        )
        rendition = GaugeMetricFamily(
            "headwater_rendition_bitrate_bps", "Average of the broadcast", labels=["stream", "track"]
        )
        warnings = GaugeMetricFamily("headwater_warnings", "Warnings now", labels=["stream", "code"])
        counts = {StreamState.LIVE: 0, StreamState.WAITING: 0}
        for status in list(self._view.statuses())[:MAX_STREAMS]:
            counts[status.state] = counts.get(status.state, 0) + 1
            for warning in status.warnings:
                warnings.add_metric([status.stream, warning.code], 1)
            for track in status.renditions:
                rendition.add_metric([status.stream, track.track], track.bitrate_bps)
            if status.source is not None:
                bitrate.add_metric([status.stream], status.source.bitrate_bps)
                fps.add_metric([status.stream], status.source.fps or 0)
                interval.add_metric([status.stream], status.source.keyframe_interval_s or 0)
        for state, count in counts.items():
            streams.add_metric([state.value], count)
        return [streams, bitrate, fps, interval, rendition, warnings, *self._uploads()]

    def _uploads(self) -> list[Metric]:
        pending = GaugeMetricFamily("headwater_upload_pending_bytes", "Waiting for the store", labels=["stream"])
        age = GaugeMetricFamily("headwater_upload_oldest_seconds", "Age of the oldest", labels=["stream"])
        for stream, size, seconds in list(self._view.uploads())[:MAX_STREAMS]:
            pending.add_metric([stream], size)
            age.add_metric([stream], seconds)
        return [pending, age]
