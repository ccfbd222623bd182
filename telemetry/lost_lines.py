"""The counter of lines that could not be written to the log."""

from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector


class LostLinesCollector(Collector):
    """``lost`` returns the number of lines since the start of the process."""

    def __init__(self, lost: Callable[[], int]) -> None:
        self._lost = lost

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily("headwater_log_lines_lost", "Lines that the log lacks", value=self._lost())
