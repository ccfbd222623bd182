"""Gauges of webhook messages."""

from collections.abc import Iterable
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Messages(Protocol):
    @property
    def pending(self) -> int: ...

    @property
    def dead(self) -> int: ...


class HookCollector(Collector):
    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def collect(self) -> Iterable[Metric]:
        pending, dead = self._messages.pending, self._messages.dead
        yield GaugeMetricFamily("headwater_hook_pending", "Webhook messages that wait", value=pending)
        yield GaugeMetricFamily("headwater_hook_dead", "Webhook messages that failed for good", value=dead)
