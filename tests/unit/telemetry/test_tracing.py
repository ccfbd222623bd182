"""Spans of requests and calls, and what they must not contain."""

import asyncio
import json
from collections.abc import Iterator

import pytest
import structlog
from opentelemetry.trace import SpanKind, StatusCode

from telemetry.logs import set_up_logs
from telemetry.spans import current_span
from telemetry.timeline import Moment, Step, Timeline
from tests.lab.spans import Spans, attributes, ids

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"
SECRET = "rtmp://203.0.113.7/live/secret-key?token=abc"


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize(("chance", "traced"), [(0.0, True), (0.009, True), (0.01, False), (0.99, False)])
def test_a_share_of_the_requests_is_traced(chance: float, traced: bool) -> None:
    spans = Spans(0.01, chance=lambda: chance)
    assert (spans.tracing.request("GET", None) is not None) is traced
    assert spans.tracing.samples() is traced


@pytest.mark.parametrize(("share", "traced"), [(0.0, False), (1.0, True)])
@pytest.mark.parametrize("chance", [0.0, 0.999999])
def test_none_or_all_are_traced(share: float, traced: bool, chance: float) -> None:
    assert Spans(share, chance=lambda: chance).tracing.samples() is traced


def test_a_proxys_trace_is_continued_whatever_the_share() -> None:
    spans = Spans(0.0)
    request = spans.tracing.request("GET", SAMPLED)
    assert request is not None
    with request:
        pass
    (span,) = spans.finished
    assert span.kind is SpanKind.SERVER and span.parent is not None
    assert (ids(span)[0], format(span.parent.span_id, "016x")) == (TRACE, PARENT)


def test_a_proxy_that_does_not_trace_a_request_decides_that_too() -> None:
    assert Spans(1.0).tracing.request("GET", UNSAMPLED) is None


@pytest.mark.parametrize(
    "invalid", ["", "00-zz-00-01", f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", "0" * 5000]
)
def test_an_invalid_traceparent_is_none(invalid: str) -> None:
    spans = Spans(1.0)
    request = spans.tracing.request("GET", invalid)
    assert request is not None
    with request:
        pass
    assert spans.finished[0].parent is None
    assert Spans(0.0).tracing.request("GET", invalid) is None


def test_an_answer_names_the_request_by_its_kind() -> None:
    spans, served = Spans(), []
    request = spans.tracing.request("GET", None)
    assert request is not None
    note = spans.tracing.noting(lambda kind, status, size: served.append((kind, status, size)))
    note("part", 200, 1)
    with request as span:
        span.answered(404)
        note("playlist", 404, 12)
    found = spans.named("request playlist")
    assert attributes(found) == {
        "http.request.method": "GET",
        "http.response.status_code": 404,
        "kind": "playlist",
        "bytes": 12,
    }
    assert found.status.status_code is StatusCode.UNSET
    assert served == [("part", 200, 1), ("playlist", 404, 12)]


def test_an_error_leaves_its_type_alone() -> None:
    spans = Spans()
    with pytest.raises(OSError), spans.tracing.call("webhook", {}):
        raise OSError(SECRET)
    (span,) = spans.finished
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span) == {"error.type": "OSError"}
    assert "secret-key" not in span.to_json() and not span.events


def test_a_step_is_inside_its_request_and_a_call_carries_its_ids() -> None:
    spans = Spans()
    with spans.tracing.call("on_publish", {"headwater.stream": "studio"}) as call:
        assert current_span() is call
        with spans.tracing.step("window") as step:
            assert current_span() is step
        assert current_span() is call
        sent = call.headers
    assert current_span() is None
    outer, inner = spans.named("on_publish"), spans.named("window")
    assert sent == {"traceparent": f"00-{ids(outer)[0]}-{ids(outer)[1]}-01"}
    assert outer.kind is SpanKind.CLIENT and outer.parent is None
    assert inner.parent is not None and inner.parent.span_id == outer.context.span_id


async def test_a_task_that_outlives_its_span_is_outside_of_it() -> None:
    spans, ended = Spans(), asyncio.Event()

    async def outlive() -> bool:
        inside = current_span() is not None
        await ended.wait()
        return inside and current_span() is None

    with spans.tracing.call("webhook", {}):
        task = asyncio.create_task(outlive())
        await asyncio.sleep(0)
    ended.set()
    assert await task


def test_a_timeline_becomes_spans_with_its_times() -> None:
    spans = Spans()
    spans.tracing.record(
        Timeline(
            "segment",
            1_000,
            9_000,
            {"headwater.msn": 7},
            (Step("encode", 1_000, 3_000), Step("upload", 4_000, 3_500)),
            (Moment("spooled", 5_000),),
            failed="store-full",
        )
    )
    segment, encode, upload = (spans.named(name) for name in ("segment", "encode", "upload"))
    assert (segment.start_time, segment.end_time) == (1_000, 9_000)
    assert attributes(segment) == {"msn": 7, "error.type": "store-full"}
    assert [(event.name, event.timestamp) for event in segment.events] == [("spooled", 5_000)]
    assert (encode.start_time, encode.end_time) == (1_000, 3_000)
    # The clock was set back.
    assert (upload.start_time, upload.end_time) == (4_000, 4_000)
    for child in (encode, upload):
        assert child.parent is not None and child.parent.span_id == segment.context.span_id


def test_a_line_inside_a_span_has_its_ids(capfd: pytest.CaptureFixture[str]) -> None:
    spans = Spans()
    writer = set_up_logs("json", "info", trace_ids=True)
    log = structlog.get_logger("test")
    log.info("before")
    with spans.tracing.call("webhook", {}):
        log.info("inside")
    log.info("after")
    writer.close()
    before, inside, after = (json.loads(line) for line in capfd.readouterr().err.splitlines())
    assert (inside["trace_id"], inside["span_id"]) == ids(spans.named("webhook"))
    assert not {"trace_id", "span_id"} & (before.keys() | after.keys())
