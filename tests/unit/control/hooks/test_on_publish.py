"""The service of [on_publish]: what it is asked, what it may answer, and what happens if it fails."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from control.config.model import OnPublishConfig
from control.hooks.on_publish import MAX_REQUESTS, NO_REASON, NO_STORE, NOT_CHECKED, OnPublish
from control.hooks.signing import signed_headers
from ingest.errors import PublishRefused
from ingest.interface import PublishRequest
from storage.catalogue import Catalogue
from storage.catalogue.records import StreamRecord
from storage.interface import StoreUnavailable
from tests.lab.memory_store import MemoryStore
from tests.lab.spans import Spans, attributes, ids

NOW = 1_795_257_665.0
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
UNKNOWN_KEY = "alices-secret-key"
Answer = Callable[[httpx.Request], httpx.Response]


def reply(body: bytes, status: int = 200) -> httpx.Response:
    """An answer whose body is read as from a network."""
    return httpx.Response(status, stream=httpx.ByteStream(body))


@dataclass
class Stage:
    """A stream ``a`` and a service that answers with ``answer``."""

    options: dict[str, Any] = field(default_factory=dict)
    answer: Answer = lambda request: reply(b'{"action": "allow"}')
    requests: list[httpx.Request] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    store: MemoryStore = field(default_factory=MemoryStore)
    spans: Spans | None = None

    def __post_init__(self) -> None:
        self.catalogue = Catalogue(self.store)
        config = OnPublishConfig(
            url="http://service.example/on-publish?site=1", secret=SecretStr(SECRET), **self.options
        )
        self.hook = OnPublish(
            lambda: config,
            self.catalogue,
            clock=lambda: NOW,
            on_outcome=self.outcomes.append,
            on_created=self.created.append,
            transport=httpx.MockTransport(self._handle),
            tracing=self.spans.tracing if self.spans is not None else None,
        )

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer(request)

    async def ask(self, key: str | None = None) -> StreamRecord | None:
        """With the stream's own key, or with ``key``."""
        if key is None:
            key = await self.catalogue.rotate_key("a", now=NOW)
        publisher = await self.catalogue.find_publisher(key)
        request = PublishRequest("live", key, "[2001:db8::7]:50114", "OBS" * 200, encrypted=True)
        try:
            return await self.hook.ask(request, publisher)
        finally:
            await self.hook.close()

    async def refusal(self, key: str | None = None) -> str:
        with pytest.raises(PublishRefused) as refused:
            await self.ask(key)
        return refused.value.text


async def a_stage(**options: Any) -> Stage:
    stage = Stage(options)
    await stage.catalogue.create_stream("a", now=NOW)
    return stage


def answering(body: object, status: int = 200) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda request: reply(content, status)


async def test_the_request_is_signed_and_has_no_key() -> None:
    stage = await a_stage()
    assert await stage.ask() is None
    (request,) = stage.requests
    assert (request.method, request.url.query) == ("POST", b"site=1")
    message, timestamp = request.headers["webhook-id"], int(request.headers["webhook-timestamp"])
    expected = signed_headers(message, request.content, (SECRET,), now=timestamp)
    assert request.headers["webhook-signature"] == expected["webhook-signature"] and timestamp == int(NOW)
    assert json.loads(request.content) == {
        "type": "publish",
        "timestamp": "2026-11-21T10:41:05+00:00",
        "data": {
            "stream": "a",
            "key_name": "primary",
            "role": "primary",
            "key": None,
            "app": "live",
            "address": "2001:db8::7",
            "encrypted": True,
            "software": ("OBS" * 200)[:200],
        },
    }
    assert stage.outcomes == ["allowed"]


async def test_an_unknown_key_is_asked_about_only_if_the_service_gets_keys() -> None:
    stage = await a_stage()
    assert await stage.ask(UNKNOWN_KEY) is None
    assert (stage.requests, stage.outcomes) == ([], [])
    stage = await a_stage(send_key=True)
    assert await stage.ask(UNKNOWN_KEY) is None
    data = json.loads(stage.requests[0].content)["data"]
    assert (data["key"], data["stream"], data["key_name"], data["role"]) == (UNKNOWN_KEY, None, None, None)


async def test_without_a_url_nobody_is_asked() -> None:
    catalogue = Catalogue(MemoryStore())
    hook = OnPublish(
        OnPublishConfig, catalogue, clock=lambda: NOW, on_outcome=lambda _: None, on_created=lambda _: None
    )
    assert await hook.ask(PublishRequest("live", "k", "127.0.0.1:1", None), None) is None
    await hook.close()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Your plan has ended", "Your plan has ended"),
        ("two\nlines\x1b[31m", "two lines [31m"),
        ("x" * 1000, "x" * 200),
        (None, NO_REASON),
        ("  ", NO_REASON),
        (["no"], NO_REASON),
        (f"the key {UNKNOWN_KEY} is wrong", "the key … is wrong"),
    ],
)
@pytest.mark.parametrize("on_failure", ["deny", "allow"])
async def test_a_denial_is_given_in_words(message: object, words: str, on_failure: str) -> None:
    stage = await a_stage(send_key=True, on_failure=on_failure)
    stage.answer = answering({"action": "deny", "message": message, "stream": 5})
    assert await stage.refusal(UNKNOWN_KEY) == words
    assert stage.outcomes == ["denied"]


async def test_the_service_chooses_a_stream_that_exists_or_creates_it() -> None:
    stage = await a_stage(send_key=True)
    stage.answer = answering({"action": "allow", "stream": "a"})
    chosen = await stage.ask(UNKNOWN_KEY)
    assert chosen is not None and chosen.stream == "a" and stage.created == []
    stage = await a_stage(send_key=True)
    stage.answer = answering({"action": "allow", "stream": "alice", "create": True})
    chosen = await stage.ask(UNKNOWN_KEY)
    assert chosen is not None and (chosen.stream, chosen.keys) == ("alice", ())
    assert stage.created == ["alice"]
    assert (await stage.catalogue.get_stream("alice")).created_at == NOW


FAILURES: list[tuple[Answer, str]] = [
    (answering({"action": "allow"}, status=500), "bad-status"),
    (answering(b"", status=302), "bad-status"),
    (answering(b"ok"), "bad-answer"),
    (answering(b""), "bad-answer"),
    (answering(b"[" * 10_000), "bad-answer"),
    (answering(b"\xff\xfe"), "bad-answer"),
    (answering([]), "bad-answer"),
    (answering({"action": "maybe"}), "bad-answer"),
    (answering({"action": True}), "bad-answer"),
    (answering({"action": "allow", "stream": "../etc"}), "bad-answer"),
    (answering({"action": "allow", "stream": 5}), "bad-answer"),
    (answering({"action": "allow", "stream": "a", "create": "yes"}), "bad-answer"),
    (answering({"action": "allow", "stream": UNKNOWN_KEY, "create": True}), "bad-answer"),
    (answering({"action": "allow", "stream": UNKNOWN_KEY.replace("-", ""), "create": True}), "bad-answer"),
    (answering({"action": "allow", "stream": "missing"}), "unknown-stream"),
    (answering({"action": "allow", "padding": "x" * 16_384}), "too-long"),
]


@pytest.mark.parametrize(("answer", "outcome"), FAILURES)
async def test_a_failure_is_logged_and_counted_and_the_configuration_decides(answer: Answer, outcome: str) -> None:
    for on_failure in ("deny", "allow"):
        stage = await a_stage(send_key=True, on_failure=on_failure)
        stage.answer = answer
        with capture_logs() as lines:
            if on_failure == "deny":
                assert await stage.refusal(UNKNOWN_KEY) == NOT_CHECKED
            else:
                assert await stage.ask(UNKNOWN_KEY) is None
        assert stage.outcomes == [outcome] and stage.created == []
        (line,) = lines
        assert (line["log_level"], line["outcome"]) == ("warning", outcome)
        assert UNKNOWN_KEY not in str(lines) and "missing" not in str(lines)


async def test_a_service_that_cannot_be_reached() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("All connection attempts failed")

    stage = await a_stage()
    stage.answer = broken
    assert await stage.refusal() == NOT_CHECKED
    assert stage.outcomes == ["unreachable"]


async def test_a_slow_service_delays_only_its_own_publishers_for_the_timeout() -> None:
    stage = await a_stage(timeout=0.1)
    never = asyncio.Event()
    waiting = most = 0

    async def wait(request: httpx.Request) -> httpx.Response:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        try:
            await never.wait()
        finally:
            waiting -= 1
        raise AssertionError("never reached")

    stage.hook._transport = httpx.MockTransport(wait)
    key = await stage.catalogue.rotate_key("a", now=NOW)
    publisher = await stage.catalogue.find_publisher(key)
    request = PublishRequest("live", key, "127.0.0.1:1", None)
    asked = [stage.hook.ask(request, publisher) for _ in range(MAX_REQUESTS + 5)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(answer, PublishRefused) for answer in answers)
    assert 0 < most <= MAX_REQUESTS
    assert stage.outcomes == ["timeout"] * (MAX_REQUESTS + 5)
    await stage.hook.close()


async def test_a_store_that_fails_is_not_the_services_failure() -> None:
    stage = await a_stage(send_key=True, on_failure="allow")
    stage.answer = answering({"action": "allow", "stream": "other", "create": True})
    stage.store.failing = StoreUnavailable("connection refused")
    request = PublishRequest("live", UNKNOWN_KEY, "127.0.0.1:1", None)
    with pytest.raises(PublishRefused, match="cannot reach its store") as refused:
        await stage.hook.ask(request, None)
    assert refused.value.text == NO_STORE
    await stage.hook.close()


async def a_traced_stage() -> tuple[Stage, Spans]:
    spans = Spans(0.0)
    stage = Stage({"send_key": True}, spans=spans)
    await stage.catalogue.create_stream("a", now=NOW)
    return stage, spans


async def test_a_request_continues_in_the_trace_of_the_service() -> None:
    stage, spans = await a_traced_stage()
    await stage.ask()
    span = spans.named("on_publish")
    trace, parent = ids(span)
    assert stage.requests[0].headers["traceparent"] == f"00-{trace}-{parent}-01"
    assert attributes(span) == {"stream": "a", "action": "allow"}


async def test_neither_key_nor_address_nor_url_is_in_a_span() -> None:
    found = []
    for answer in (answering({"action": "deny", "message": UNKNOWN_KEY}), answering(UNKNOWN_KEY, 500)):
        stage, spans = await a_traced_stage()
        stage.answer = answer
        await stage.refusal(UNKNOWN_KEY)
        found.append(spans.named("on_publish"))
    assert [attributes(span) for span in found] == [{"action": "deny"}, {"error.type": "bad-status"}]
    text = "".join(span.to_json() for span in found)
    assert not any(secret in text for secret in (UNKNOWN_KEY, "2001:db8", "service.example", SECRET))


async def test_without_traces_no_traceparent_is_sent() -> None:
    stage = await a_stage()
    await stage.ask()
    assert "traceparent" not in stage.requests[0].headers
