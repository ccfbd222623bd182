"""A collector of traces: OTLP over HTTP with protobuf, in a thread of this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True, slots=True)
class Sent:
    """A span. Ids are hexadecimal, ``parent`` is empty for a root. Times are Unix nanoseconds."""

    name: str
    trace: str
    id: str
    parent: str
    began_ns: int
    ended_ns: int
    attributes: dict[str, object]
    events: tuple[str, ...]


@dataclass(slots=True)
class Collector:
    """Each request waits for ``gate``. ``raw`` has the bodies, ``headers`` the fields of the last request."""

    gate: threading.Event = field(default_factory=threading.Event)
    spans: list[Sent] = field(default_factory=list)
    services: set[object] = field(default_factory=set)
    raw: list[bytes] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def named(self, name: str) -> list[Sent]:
        return [span for span in self.spans if span.name == name]

    def children(self, parent: Sent) -> list[Sent]:
        return [span for span in self.spans if span.parent == parent.id and span.trace == parent.trace]

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            facts = {each.key: _value(each.value) for each in resource.resource.attributes}
            self.services.add(facts.get("service.name"))
            self.spans += [_sent(span) for scope in resource.scope_spans for span in scope.spans]
        self.raw.append(body)


def _sent(span: Span) -> Sent:
    return Sent(
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        began_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        attributes={each.key.removeprefix("headwater."): _value(each.value) for each in span.attributes},
        events=tuple(event.name for event in span.events),
    )


def _value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind is not None else None


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens until the block ends."""
    collector = Collector()
    collector.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.requests += 1
            collector.gate.wait()
            collector.headers = {name.lower(): value for name, value in self.headers.items()}
            found = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
            if found:
                collector.take(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A server that is stopped closes its connections."""

    listener = Listener(("127.0.0.1", 0), Handler)
    collector.port = listener.server_port
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield collector
    finally:
        collector.gate.set()
        listener.shutdown()
        thread.join()
        listener.server_close()
