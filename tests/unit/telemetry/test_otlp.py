"""The export to a collector that takes spans, is away, hangs, or refuses them."""

import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from structlog.testing import capture_logs

from telemetry import otlp
from telemetry.errors import TracingNotInstalled
from telemetry.otlp import Export, NotedExporter
from telemetry.tracing_options import TracingOptions, check_installed
from tests.lab.collector import collecting
from tests.lab.ports import free_port
from tests.lab.waiting import until

OFF = """
import asyncio, sys
from control.composition import serving
from control.config import Config
from control.config.address import Address
from control.config.model import HttpConfig, RtmpConfig
import control.serve

async def main():
    local = Address("127.0.0.1", 0)
    async with serving(Config(data=sys.argv[1], http=HttpConfig(listen=local), rtmp=RtmpConfig(listen=local))):
        pass

asyncio.run(main())
wanted = "opentelemetry.sdk", "opentelemetry.exporter", "google.protobuf", "requests", "telemetry.tracing"
print(*(name for name in wanted if name in sys.modules))
"""


FOREIGN = """
import asyncio, sys, urllib.request
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from control.composition import serving
from control.config import Config
from control.config.address import Address
from control.config.model import HttpConfig, RtmpConfig

exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)

async def main():
    local = Address("127.0.0.1", 0)
    config = Config(data=sys.argv[1], http=HttpConfig(listen=local), rtmp=RtmpConfig(listen=local))
    async with serving(config) as server:
        url = f"{server.http}/watch/live?token=secret"
        await asyncio.to_thread(lambda: urllib.request.urlopen(url).read())

asyncio.run(main())
print(len(exporter.get_finished_spans()))
"""


def options(url: str) -> TracingOptions:
    return TracingOptions(url, 1.0, "headwater", "1.0", {"authorization": "Bearer secret"})


async def test_spans_reach_the_collector_when_the_server_ends() -> None:
    with collecting() as collector:
        export = Export(options(collector.url))
        with export.tracing.call("webhook", {"headwater.hook": "h1"}):
            pass
        await export.close()
        assert [(span.name, span.attributes) for span in collector.spans] == [("webhook", {"hook": "h1"})]
        assert collector.services == {"headwater"}
        assert collector.headers["authorization"] == "Bearer secret"
    assert "secret" not in repr(options(""))


async def test_a_collector_that_hangs_delays_the_end_by_no_more_than_its_limit() -> None:
    with collecting() as collector, capture_logs() as logs:
        collector.gate.clear()
        export = Export(options(collector.url), every_ms=1)
        with export.tracing.call("webhook", {}):
            pass
        until(lambda: collector.requests, every=0.01)
        began = time.monotonic()
        with export.tracing.call("webhook", {}):
            pass
        assert time.monotonic() - began < 0.1
        await export.close(0.2)
        assert time.monotonic() - began < 1
    assert [line["event"] for line in logs] == ["the last traces were not delivered"]


async def test_a_full_queue_delays_nobody_and_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "MAX_QUEUE", 8)
    monkeypatch.setattr(otlp, "BATCH", 4)
    with collecting() as collector:
        collector.gate.clear()
        export = Export(options(collector.url), every_ms=1)
        with export.tracing.call("first", {}):
            pass
        until(lambda: collector.requests, every=0.01)
        for _ in range(1000):
            with export.tracing.call("more", {}):
                pass
        collector.gate.set()
        await export.close()
        assert len(collector.named("first")) == 1
        assert 0 < len(collector.named("more")) <= 8


async def test_a_collector_that_is_away_is_logged_once_and_in_words(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "DELIVERY_S", 0.5)
    with capture_logs() as logs:
        export = Export(options(f"http://user:password@127.0.0.1:{free_port()}"), every_ms=1)
        for count in range(2):
            with export.tracing.call("webhook", {}):
                pass
            until(partial(lambda before: export.failures > before, count), every=0.01)
        await export.close()
    (line,) = (line for line in logs if line["event"].startswith("traces are lost"))
    assert line["log_level"] == "warning" and line["collector"] == "127.0.0.1"
    assert "password" not in str(logs) + capfd.readouterr().err


def test_a_failure_and_its_end_are_logged_once() -> None:
    results = [SpanExportResult.FAILURE, SpanExportResult.FAILURE, *[SpanExportResult.SUCCESS] * 2]

    class Scripted(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return results.pop(0)

    exporter = NotedExporter(Scripted(), "collector.example")
    with capture_logs() as logs:
        for _ in range(4):
            exporter.export(())
    assert [line["log_level"] for line in logs] == ["warning", "info"]


def test_what_is_missing_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "telemetry.otlp")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(TracingNotInstalled, match=r"pip install 'headwater\[tracing\]'"):
        check_installed()


def test_a_server_without_traces_does_not_import_opentelemetrys_sdk(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OFF, str(tmp_path / "data")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == ""


def test_fastapi_makes_no_spans_of_its_own(tmp_path: Path) -> None:
    """They would have paths and queries, with tokens, if something else sets a global provider."""
    command = [sys.executable, "-c", FOREIGN, str(tmp_path / "data")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "0"
