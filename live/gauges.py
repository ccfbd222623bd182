"""Gauges of the broadcasts on air on this node, and of the requests that wait for their media."""

from collections.abc import Iterable, Mapping
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

    def encoding(self) -> Iterable[tuple[str, float, int]]:
        """The stream, the seconds that its encoding is behind, and the number of rungs that are shed."""
        ...


class LiveCollector(Collector):
    """Creates the gauges at each scrape, so that an ended broadcast leaves no series."""

    def __init__(self, view: LiveView) -> None:
        self._view = view

    def collect(self) -> Iterable[Metric]:
        streams = GaugeMetricFamily("headwater_streams", "Streams on air", labels=["state"])
        rate = GaugeMetricFamily(
            "headwater_source_bytes_per_second", "Video and audio that the publisher sends", labels=["stream"]
        )
        fps = GaugeMetricFamily(
            "headwater_source_frames_per_second", "Frames that the publisher sends", labels=["stream"]
        )
        interval = GaugeMetricFamily(
            "headwater_source_keyframe_interval_seconds", "Time between the last keyframes", labels=["stream"]
        )
        rendition = GaugeMetricFamily(
            "headwater_rendition_bytes_per_second", "Average of the broadcast", labels=["stream", "track"]
        )
        warnings = GaugeMetricFamily("headwater_warnings", "Warnings now", labels=["stream", "code"])
        counts = {StreamState.LIVE: 0, StreamState.WAITING: 0}
        for status in list(self._view.statuses())[:MAX_STREAMS]:
            counts[status.state] = counts.get(status.state, 0) + 1
            for warning in status.warnings:
                warnings.add_metric([status.stream, warning.code], 1)
            for track in status.renditions:
                rendition.add_metric([status.stream, track.track], track.bitrate_bps / 8)
            if status.source is not None:
                rate.add_metric([status.stream], status.source.bitrate_bps / 8)
                fps.add_metric([status.stream], status.source.fps or 0)
                interval.add_metric([status.stream], status.source.keyframe_interval_s or 0)
        for state, count in counts.items():
            streams.add_metric([state.value], count)
        return [streams, rate, fps, interval, rendition, warnings, *self._uploads(), *self._encoding()]

    def _uploads(self) -> list[Metric]:
        pending = GaugeMetricFamily(
            "headwater_upload_pending_bytes", "Media that waits for the store", labels=["stream"]
        )
        age = GaugeMetricFamily("headwater_upload_oldest_seconds", "Age of the oldest upload", labels=["stream"])
        for stream, size, seconds in list(self._view.uploads())[:MAX_STREAMS]:
            pending.add_metric([stream], size)
            age.add_metric([stream], seconds)
        return [pending, age]

    def _encoding(self) -> list[Metric]:
        behind = GaugeMetricFamily(
            "headwater_transcoder_behind_seconds", "How far encoding is behind the source", labels=["stream"]
        )
        shed = GaugeMetricFamily(
            "headwater_rungs_shed", "Renditions that are not encoded now, because it is too slow", labels=["stream"]
        )
        for stream, seconds, rungs in list(self._view.encoding())[:MAX_STREAMS]:
            behind.add_metric([stream], seconds)
            shed.add_metric([stream], rungs)
        return [behind, shed]


class HeldView(Protocol):
    """The requests of one origin that wait for media."""

    def waiting(self) -> Mapping[str, int]:
        """Their number by what they wait for."""
        ...


class HeldCollector(Collector):
    def __init__(self, view: HeldView) -> None:
        self._view = view

    def collect(self) -> Iterable[Metric]:
        held = GaugeMetricFamily(
            "headwater_held_requests", "Requests that wait for media that is about to arrive", labels=["kind"]
        )
        for kind, count in self._view.waiting().items():
            held.add_metric([kind], count)
        return [held]
