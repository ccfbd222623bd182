"""The metrics of live broadcasts, as Prometheus reads them."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry

from live.gauges import LiveCollector
from live.status import StreamState, StreamStatus
from telemetry.metrics import MAX_STREAMS
from tests.unit.origin.api.live import status


class View:
    def __init__(
        self,
        *present: StreamStatus,
        waiting: Iterable[tuple[str, int, float]] = (),
        encoded: Iterable[tuple[str, float, int]] = (),
    ) -> None:
        self.present = present
        self.waiting = waiting
        self.encoded = encoded

    def statuses(self) -> Iterable[StreamStatus]:
        return self.present

    def uploads(self) -> Iterable[tuple[str, int, float]]:
        return self.waiting

    def encoding(self) -> Iterable[tuple[str, float, int]]:
        return self.encoded


def samples(view: View) -> dict[tuple[str, tuple[str, ...]], float]:
    """The value of each metric by its name and the values of its labels."""
    registry = CollectorRegistry()
    registry.register(LiveCollector(view))
    return {
        (sample.name.removeprefix("headwater_"), tuple(sample.labels.values())): sample.value
        for metric in registry.collect()
        for sample in metric.samples
    }


def test_a_server_without_broadcasts() -> None:
    assert samples(View()) == {("streams", ("live",)): 0, ("streams", ("waiting",)): 0}


def test_every_broadcast_is_counted_and_measured() -> None:
    read = samples(View(status("a"), status("b", StreamState.WAITING)))
    assert (read["streams", ("live",)], read["streams", ("waiting",)]) == (1, 1)
    for stream in ("a", "b"):
        assert read["source_bytes_per_second", (stream,)] == 312_500
        assert read["source_frames_per_second", (stream,)] == 29.97
        assert read["source_keyframe_interval_seconds", (stream,)] == 8.3
        assert read["rendition_bytes_per_second", (stream, "asource")] == 20_000
        assert read["warnings", (stream, "keyframe-interval")] == 1


def test_unknown_values_have_no_samples() -> None:
    read = samples(View(StreamStatus(stream="a", state=StreamState.LIVE)))
    assert read == {("streams", ("live",)): 1, ("streams", ("waiting",)): 0}


def test_pending_uploads_are_measured() -> None:
    read = samples(View(waiting=[("a", 1000, 2.5)]))
    assert read["upload_pending_bytes", ("a",)] == 1000
    assert read["upload_oldest_seconds", ("a",)] == 2.5


def test_encoding_is_measured() -> None:
    read = samples(View(encoded=[("a", 2.5, 1)]))
    assert read["transcoder_behind_seconds", ("a",)] == 2.5
    assert read["rungs_shed", ("a",)] == 1


def test_the_number_of_series_is_bounded() -> None:
    many = [StreamStatus(stream=str(number), state=StreamState.LIVE) for number in range(MAX_STREAMS + 5)]
    read = samples(View(*many, waiting=[(status.stream, 1, 1.0) for status in many]))
    assert read["streams", ("live",)] == MAX_STREAMS
    assert sum(name == "upload_pending_bytes" for name, _ in read) == MAX_STREAMS
