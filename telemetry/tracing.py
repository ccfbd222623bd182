"""Makes spans of OpenTelemetry. Imported only if traces are configured (:mod:`telemetry.tracing_options`)."""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import (
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from telemetry.spans import ActiveSpan, Attributes, current_span, entered
from telemetry.timeline import Timeline


class Tracing:
    """``sample`` is the share of segments and requests that are traced. ``tracer`` records every span."""

    def __init__(self, tracer: Tracer, sample: float, *, chance: Callable[[], float] = random.random) -> None:
        self._tracer = tracer
        self._sample = sample
        self._chance = chance
        self._propagator = TraceContextTextMapPropagator()

    def samples(self) -> bool:
        """Whether to trace the segment or request that begins."""
        return self._chance() < self._sample

    def request(self, method: str, traceparent: str | None) -> AbstractContextManager[ActiveSpan] | None:
        """The span of a request to this server; None if it is not traced. A valid ``traceparent`` of a proxy
        decides that, and the span continues its trace."""
        parent = self._parent(traceparent) if traceparent is not None else None
        if not (parent.trace_flags.sampled if parent is not None else self.samples()):
            return None
        context = Context() if traceparent is None else self._context(traceparent)
        return self._span(method, context, SpanKind.SERVER, {"http.request.method": method})

    def call(self, name: str, attributes: Attributes) -> AbstractContextManager[ActiveSpan]:
        """The span of a request to another service. Calls are few, so all are traced."""
        return self._span(name, _inside(), SpanKind.CLIENT, attributes)

    def step(self, name: str) -> AbstractContextManager[ActiveSpan]:
        """A span inside the current one."""
        return self._span(name, _inside(), SpanKind.INTERNAL, {})

    def record(self, timeline: Timeline) -> None:
        """Make a span of ``timeline``, and one of each step."""
        span = self._tracer.start_span(
            timeline.name, Context(), start_time=timeline.began_ns, attributes=timeline.attributes
        )
        inside = set_span_in_context(span, Context())
        for step in timeline.steps:
            child = self._tracer.start_span(step.name, inside, start_time=step.began_ns)
            child.end(max(step.began_ns, step.ended_ns))
        for moment in timeline.moments:
            span.add_event(moment.name, moment.attributes, moment.at_ns)
        if timeline.failed is not None:
            span.set_attribute("error.type", timeline.failed)
            span.set_status(Status(StatusCode.ERROR))
        span.end(max(timeline.began_ns, timeline.ended_ns))

    def noting(self, on_served: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
        """``on_served``, which also describes the request's span."""

        def note(kind: str, status: int, size: int) -> None:
            on_served(kind, status, size)
            span = current_span()
            if span is not None:
                span.rename(f"request {kind}")
                span.set(kind=kind, bytes=size)

        return note

    @contextmanager
    def _span(self, name: str, context: Context, kind: SpanKind, attributes: Attributes) -> Iterator[ActiveSpan]:
        # The texts of exceptions have addresses and paths.
        api = self._tracer.start_span(name, context, kind, attributes, record_exception=False)
        span = ActiveSpan(api)
        try:
            with entered(span):
                yield span
        except BaseException as error:
            span.failed = span.failed or type(error).__name__
            raise
        finally:
            if span.failed is not None:
                api.set_attribute("error.type", span.failed)
                api.set_status(Status(StatusCode.ERROR))
            api.end()

    def _context(self, traceparent: str) -> Context:
        return self._propagator.extract({"traceparent": traceparent}, Context())

    def _parent(self, traceparent: str) -> SpanContext | None:
        context = get_current_span(self._context(traceparent)).get_span_context()
        return context if context.is_valid else None


def _inside() -> Context:
    span = current_span()
    return Context() if span is None else set_span_in_context(span.api, Context())
