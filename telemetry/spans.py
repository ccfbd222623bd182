"""The span that the running task is in. It does not import OpenTelemetry, so code without traces may import it.

The context is our own, not OpenTelemetry's: libraries that use that one would add spans with paths and addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.trace import Span as ApiSpan

Value = str | int | float | bool
Attributes = Mapping[str, Value]

SERVER_FAULT = 500


class ActiveSpan:
    """A span that has begun. ``failed`` is the type of the error that ended it, never its text, which may have
    addresses and paths."""

    __slots__ = ("api", "failed")

    def __init__(self, api: ApiSpan) -> None:
        self.api = api
        self.failed: str | None = None

    def set(self, **attributes: Value) -> None:
        """Set attributes with the prefix ``headwater.``."""
        self.api.set_attributes({f"headwater.{name}": value for name, value in attributes.items()})

    def answered(self, status: int) -> None:
        """The status of the HTTP answer that the span received or gave."""
        self.api.set_attribute("http.response.status_code", status)
        if status >= SERVER_FAULT:
            self.failed = str(status)

    def rename(self, name: str) -> None:
        self.api.update_name(name)

    @property
    def trace_id(self) -> str:
        return format(self.api.get_span_context().trace_id, "032x")

    @property
    def span_id(self) -> str:
        return format(self.api.get_span_context().span_id, "016x")

    @property
    def headers(self) -> Mapping[str, str]:
        """What a request carries, so that its receiver continues the trace (W3C Trace Context, 3.2)."""
        return {"traceparent": f"00-{self.trace_id}-{self.span_id}-01"}


_CURRENT: ContextVar[ActiveSpan | None] = ContextVar("span", default=None)


def current_span() -> ActiveSpan | None:
    """None outside of a span. A task outlives the span that it began in, and is then outside of it."""
    span = _CURRENT.get()
    return span if span is not None and span.api.is_recording() else None


@contextmanager
def entered(span: ActiveSpan) -> Iterator[ActiveSpan]:
    """The block is inside ``span``."""
    token = _CURRENT.set(span)
    try:
        yield span
    finally:
        _CURRENT.reset(token)


def add_trace_ids(logger: object, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of structlog: a line inside a span has its ids."""
    span = current_span()
    if span is not None:
        line["trace_id"], line["span_id"] = span.trace_id, span.span_id
    return line
