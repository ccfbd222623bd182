"""Asks the operator's service, before a publisher is accepted, if it may publish and to which stream.

docs/on-publish.md describes the request and the answer. The stream key is sent only if the operator wants it. It is
never logged.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import structlog
from pydantic import BaseModel, ValidationError

from control.config.model import OnPublishConfig
from control.errors import ControlError
from control.hooks.signing import signed_headers
from control.version import version
from ingest.errors import PublishRefused
from ingest.interface import PublishRequest
from media.addresses import host_of
from media.names import is_stream_name
from storage.catalogue import Catalogue, StreamExists, StreamNotFound
from storage.catalogue.catalogue import Publisher
from storage.catalogue.records import StreamRecord
from storage.interface import StorageError

if TYPE_CHECKING:
    import httpx

    from telemetry.tracing import Tracing

log = structlog.get_logger("control")

# Requests at once. Further publishers wait, within their own timeout.
MAX_REQUESTS = 32
MAX_ANSWER = 16 * 1024
# Characters.
MAX_SOFTWARE = 200
MAX_MESSAGE = 200

ALLOWED, DENIED = "allowed", "denied"
NOT_CHECKED = "the server could not check whether you may publish; try again"
NO_STORE = "the server cannot reach its store to check the stream; try again"
NO_REASON = "the operator does not allow this broadcast"


class ServiceFailed(ControlError):
    """The service gave no valid answer. ``outcome`` is the metric's label; ``str()`` is never the key."""

    code: ClassVar[str] = "on-publish-failed"

    def __init__(self, outcome: str, text: str) -> None:
        super().__init__(text)
        self.outcome = outcome


class Answer(BaseModel):
    """What the service answers. Only ``action`` is checked here: a fault in the rest must not admit anybody whom
    the service refuses."""

    action: Literal["allow", "deny"]
    message: Any = None
    stream: Any = None
    create: Any = False


class OnPublish:
    """A :class:`worker.publish_hook.PublishHook`. ``options`` returns the configuration in force, ``clock`` Unix
    seconds. ``on_outcome`` gets the outcome of each request, ``on_created`` the name of each stream that is created
    for the service. Tests replace the ``transport``."""

    def __init__(
        self,
        options: Callable[[], OnPublishConfig],
        catalogue: Catalogue,
        *,
        clock: Callable[[], float],
        on_outcome: Callable[[str], None],
        on_created: Callable[[str], None],
        transport: httpx.AsyncBaseTransport | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._options = options
        self._catalogue = catalogue
        self._clock = clock
        self._on_outcome = on_outcome
        self._on_created = on_created
        self._transport = transport
        self._tracing = tracing
        self._http: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._gate = asyncio.Semaphore(MAX_REQUESTS)

    async def ask(self, request: PublishRequest, publisher: Publisher | None) -> StreamRecord | None:
        """The stream to publish to; None leaves it to the stream key. Raises PublishRefused."""
        options = self._options()
        if options.url is None or (publisher is None and not options.send_key):
            return None
        try:
            answer = await self._traced_answer(options, request, publisher)
            if answer.action == "deny":
                self._on_outcome(DENIED)
                raise PublishRefused(_message(answer.message, request.key))
            record = await self._stream(answer, request.key)
        except ServiceFailed as failure:
            self._on_outcome(failure.outcome)
            log.warning(
                "the service of [on_publish] failed",
                outcome=failure.outcome,
                reason=str(failure),
                address=request.address,
                publisher="refused" if options.on_failure == "deny" else "left to its stream key",
            )
            if options.on_failure == "deny":
                raise PublishRefused(NOT_CHECKED) from failure
            return None
        self._on_outcome(ALLOWED)
        return record

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def _traced_answer(
        self, options: OnPublishConfig, request: PublishRequest, publisher: Publisher | None
    ) -> Answer:
        """Raises ServiceFailed."""
        if self._tracing is None:
            return await self._answer(options, request, publisher, {})
        known = {"headwater.stream": publisher.record.stream} if publisher is not None else {}
        with self._tracing.call("on_publish", known) as span:
            try:
                answer = await self._answer(options, request, publisher, span.headers)
            except ServiceFailed as failure:
                span.failed = failure.outcome
                raise
            span.set(action=answer.action)
            return answer

    async def _answer(
        self,
        options: OnPublishConfig,
        request: PublishRequest,
        publisher: Publisher | None,
        headers: Mapping[str, str],
    ) -> Answer:
        """``headers`` are sent too. Raises ServiceFailed."""
        client = await self._client()
        import httpx

        try:
            async with asyncio.timeout(options.timeout), self._gate:
                body = await self._post(client, options, self._body(options, request, publisher), headers)
        except TimeoutError:
            raise ServiceFailed("timeout", f"it did not answer within {options.timeout:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            text = f"it cannot be reached: {str(error) or type(error).__name__}"
            raise ServiceFailed("unreachable", text) from None
        try:
            return Answer.model_validate_json(body)
        except ValidationError:
            raise ServiceFailed("bad-answer", 'its answer is not JSON with "action": "allow" or "deny"') from None

    async def _post(
        self, client: httpx.AsyncClient, options: OnPublishConfig, body: bytes, headers: Mapping[str, str]
    ) -> bytes:
        assert options.url is not None and options.secret is not None
        secret = options.secret.get_secret_value()
        signed = signed_headers(f"msg_{secrets.token_hex(12)}", body, (secret,), now=int(self._clock()))
        fields = {"Content-Type": "application/json", "Accept-Encoding": "identity", **headers, **signed}
        async with client.stream("POST", options.url, content=body, headers=fields) as response:
            if not response.is_success:
                raise ServiceFailed("bad-status", f"it answered with the status {response.status_code}")
            received = bytearray()
            async for piece in response.aiter_raw():
                received += piece
                if len(received) > MAX_ANSWER:
                    raise ServiceFailed("too-long", f"its answer is longer than {MAX_ANSWER} bytes")
            return bytes(received)

    def _body(self, options: OnPublishConfig, request: PublishRequest, publisher: Publisher | None) -> bytes:
        data = {
            "stream": publisher and publisher.record.stream,
            "key_name": publisher and publisher.key.name,
            "role": publisher and publisher.role.value,
            "key": request.key if options.send_key else None,
            "app": request.app,
            "address": host_of(request.address),
            "encrypted": request.encrypted,
            "software": request.software and request.software[:MAX_SOFTWARE],
        }
        timestamp = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
        return json.dumps({"type": "publish", "timestamp": timestamp, "data": data}).encode()

    async def _client(self) -> httpx.AsyncClient:
        """Made in a thread: importing httpx and reading the system's certificates would delay the event loop."""
        async with self._opening:
            if self._http is None:
                self._http = await asyncio.to_thread(_make_client, self._transport)
            return self._http

    async def _stream(self, answer: Answer, key: str) -> StreamRecord | None:
        """The stream that the service names. No text of a failure has its name: it may be the stream key. Raises
        ServiceFailed, PublishRefused."""
        name = answer.stream
        if name is None:
            return None
        if not isinstance(name, str) or not is_stream_name(name) or not isinstance(answer.create, bool):
            raise ServiceFailed(
                "bad-answer", 'its "stream" is not the name of a stream, or "create" not true or false'
            )
        if _letters(name) == _letters(key):
            raise ServiceFailed("bad-answer", 'its "stream" is the stream key, which would make the key public')
        try:
            return await self._catalogue.find_stream(name)
        except StreamNotFound:
            if not answer.create:
                raise ServiceFailed(
                    "unknown-stream", 'its "stream" does not exist; with "create": true it is created'
                ) from None
        except StorageError as error:
            raise PublishRefused(NO_STORE) from error
        return await self._create(name)

    async def _create(self, name: str) -> StreamRecord:
        try:
            with suppress(StreamExists):
                record = await self._catalogue.create_keyless_stream(name, now=self._clock())
                self._on_created(name)
                return record
            return await self._catalogue.get_stream(name)
        except StorageError as error:
            raise PublishRefused(NO_STORE) from error


def _make_client(transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    import httpx

    return httpx.AsyncClient(
        headers={"User-Agent": f"headwater/{version()}"},
        limits=httpx.Limits(max_connections=MAX_REQUESTS),
        # The whole request has one timeout.
        timeout=None,
        transport=transport,
        trust_env=False,
    )


def _message(message: object, key: str) -> str:
    """The words for the broadcaster: bounded, printable, and without its stream key, because they are logged."""
    if not isinstance(message, str) or not message.strip():
        return NO_REASON
    text = message.replace(key, "…") if key else message
    return "".join(character if character.isprintable() else " " for character in text[:MAX_MESSAGE]).strip()


def _letters(text: str) -> str:
    """Stream keys do not depend on case and hyphens."""
    return text.lower().replace("-", "").strip()
