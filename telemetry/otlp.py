"""Sends spans to a collector: OTLP over HTTP with protobuf, in a thread of OpenTelemetry's SDK.

The queue is bounded, and spans that do not fit are dropped: a collector that is away or slow delays nobody. The log
has one line when deliveries begin to fail, and one when they succeed again.
"""

import asyncio
import logging
import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from telemetry.tracing import Tracing
from telemetry.tracing_options import TracingOptions

log = structlog.get_logger("telemetry")

MAX_QUEUE = 2048
BATCH = 512
# Milliseconds between two deliveries.
EVERY_MS = 2000
# Seconds that a delivery may take, with its retries.
DELIVERY_S = 5.0
# Seconds that the end of the server waits for the last spans.
CLOSE_S = 2.0


class Export:
    """The export of a running server. ``tracing`` makes the spans."""

    def __init__(self, options: TracingOptions, *, every_ms: int = EVERY_MS) -> None:
        # Its lines would repeat, and they would have the endpoint.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
        self._exporter = NotedExporter(
            OTLPSpanExporter(
                endpoint=f"{options.endpoint}/v1/traces", headers=dict(options.headers), timeout=DELIVERY_S
            ),
            urlsplit(options.endpoint).hostname or "",
        )
        self._provider = TracerProvider(
            # Spans that are made shall be sent: whoever makes them has chosen them.
            sampler=ALWAYS_ON,
            resource=Resource.create({"service.name": options.service_name, "service.version": options.version}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._exporter,
                max_queue_size=MAX_QUEUE,
                schedule_delay_millis=every_ms,
                max_export_batch_size=BATCH,
            )
        )
        self.tracing = Tracing(self._provider.get_tracer("headwater", options.version), options.sample)

    @property
    def failures(self) -> int:
        """The number of deliveries that failed."""
        return self._exporter.failures

    async def close(self, timeout: float = CLOSE_S) -> None:
        """Send what waits, for at most ``timeout`` seconds."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            try:
                loop.call_soon_threadsafe(done.set)
            except RuntimeError:
                # The loop was closed meanwhile.
                return

        # A thread of its own: the loop's end would wait for one of its executor.
        threading.Thread(target=shut_down, name="traces-close", daemon=True).start()
        try:
            async with asyncio.timeout(timeout):
                await done.wait()
        except TimeoutError:
            log.warning("the last traces were not delivered", waited_s=timeout)


class NotedExporter(SpanExporter):
    """``exporter``, with the log's words about it. ``collector`` is the name of its host."""

    def __init__(self, exporter: SpanExporter, collector: str) -> None:
        self._exporter = exporter
        self._collector = collector
        self.failures = 0
        self._fails = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        failed = result is not SpanExportResult.SUCCESS
        self.failures += failed
        if failed and not self._fails:
            log.warning(
                "traces are lost: the collector of [tracing] does not take them; check endpoint, and that it runs",
                collector=self._collector,
            )
        elif self._fails and not failed:
            log.info("the collector takes traces again", collector=self._collector)
        self._fails = failed
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
