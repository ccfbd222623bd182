"""Spans in memory."""

from collections.abc import Callable

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from telemetry.tracing import Tracing


class Spans:
    """``tracing`` with its finished spans, in the order of their ends."""

    def __init__(self, sample: float = 1.0, *, chance: Callable[[], float] = lambda: 0.5) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracing = Tracing(provider.get_tracer("test"), sample, chance=chance)

    @property
    def finished(self) -> tuple[ReadableSpan, ...]:
        return tuple(self._exporter.get_finished_spans())

    def named(self, name: str) -> ReadableSpan:
        (span,) = (span for span in self.finished if span.name == name)
        return span


def attributes(span: ReadableSpan) -> dict[str, object]:
    """Without the prefix of our own ones."""
    return {name.removeprefix("headwater."): value for name, value in (span.attributes or {}).items()}


def ids(span: ReadableSpan) -> tuple[str, str]:
    """Of the trace and of the span, in hexadecimal."""
    return format(span.context.trace_id, "032x"), format(span.context.span_id, "016x")
