"""Gauges of the spool."""

from collections.abc import Iterable
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Spool(Protocol):
    @property
    def used(self) -> int: ...

    @property
    def max_bytes(self) -> int: ...


class SpoolCollector(Collector):
    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("headwater_spool_bytes", "Media in the spool", value=self._spool.used)
        yield GaugeMetricFamily("headwater_spool_limit_bytes", "Room of the spool", value=self._spool.max_bytes)
