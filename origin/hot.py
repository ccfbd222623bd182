"""Answers that are the same for everybody: made once, and repeated from their bytes.

A request for media or a playlist that depends on nothing but its URL is *shared*. Whoever sends a shared request
while its answer is awaited waits for that answer. An answer that nobody may be refused is kept as long as it is
right, and repeated before the application, a task or a response object is involved.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from origin.body import pieces
from origin.content_coding import accepts_gzip

# In the scope of a shared request; its value is a SharedRequest.
SHARED = "headwater.shared"
MAX_KEPT_BYTES = 64 << 20
# The gate learns within seconds of a stream that another node made private. This adds to it.
MAX_AGE_S = 1.0
# The event loop does other work between two batches of answers.
BATCH = 64
# Media needs no query, and a playlist only the delivery directives, in the order of the specification
# (draft-pantos-hls-rfc8216bis, 6.2.5): with other queries, one client could have thousands of answers kept.
NAMES = rb"/live/[^?#]+(?:\.m4s|\.mp4|\.mpd|\.m3u8(?:\?_HLS_msn=\d+(?:&_HLS_part=\d+)?(?:&_HLS_skip=(?:YES|v2))?)?)"
MEDIA = (b".m4s", b".mp4")
# Fields with which the answer depends on more than the URL, or a request that has a body.
PERSONAL = frozenset(
    (
        *(b"authorization", b"content-length", b"expect", b"transfer-encoding"),
        *(b"if-match", b"if-modified-since", b"if-none-match", b"if-range", b"if-unmodified-since", b"range"),
    )
)

Key = tuple[bytes, bool]
"""The request target, and whether the answer may be compressed."""


@dataclass(frozen=True, slots=True)
class HotAnswer:
    """``head`` is the status line and the header fields, without the fields that the server adds to every answer.
    ``body`` are pieces of bytes that all answers share; ``resource`` is what metrics call it."""

    status: int
    head: bytes
    body: Sequence[memoryview]
    size: int
    resource: str


class Waiter(Protocol):
    def resolve(self, answer: HotAnswer | None) -> None:
        """The answer to the shared request; None if the waiter has to send its own request."""


class SharedRequest:
    """A shared request on its way through the application, which calls :meth:`answer` before it sends a complete
    body, and nothing if the body is still growing."""

    __slots__ = ("body", "generation", "is_current", "key", "resource", "waiters")

    def __init__(self, key: Key, generation: int) -> None:
        self.key = key
        self.generation = generation
        self.waiters: dict[Waiter, None] = {}
        self.body: bytes | memoryview | None = None
        self.resource = ""
        self.is_current: Callable[[], bool] | None = None

    def answer(self, body: bytes | memoryview, resource: str) -> None:
        self.body, self.resource = body, resource

    def keep(self, is_current: Callable[[], bool] = lambda: True) -> None:
        """Everybody may have the answer while ``is_current`` returns True."""
        self.is_current = is_current


@dataclass(frozen=True, slots=True)
class _Kept:
    """``until`` is the time at which it becomes too old."""

    answer: HotAnswer
    until: float
    is_current: Callable[[], bool]


class HotAnswers:
    """``prefix`` is the path before ``/live/``. ``any_origin`` is whether the answers are the same for the pages of
    all origins. ``on_served(resource, status, bytes)`` counts the answers that are repeated."""

    def __init__(
        self,
        *,
        prefix: str = "",
        any_origin: bool,
        on_served: Callable[[str, int, int], None],
        clock: Callable[[], float] = time.monotonic,
        max_bytes: int = MAX_KEPT_BYTES,
    ) -> None:
        self._names = re.compile(rb"(?:%s)?%s" % (re.escape(prefix.encode()), NAMES))
        self._personal = PERSONAL if any_origin else PERSONAL | {b"origin"}
        self._on_served = on_served
        self._clock = clock
        self._max_bytes = max_bytes
        # In the order in which they were kept.
        self._kept: dict[Key, _Kept] = {}
        self._bytes = 0
        self._awaited: dict[Key, SharedRequest] = {}
        self._generation = 0

    @property
    def kept_bytes(self) -> int:
        return self._bytes

    def gzips(self, fields: Iterable[tuple[bytes, bytes]]) -> bool | None:
        """Whether the client accepts compressed answers; None if the answer depends on more of the fields,
        whose names are in lower case."""
        gzips = False
        for name, value in fields:
            if name == b"accept-encoding":
                gzips = _accepts_gzip(value)
            elif name in self._personal:
                return None
        return gzips

    def key(self, target: bytes, *, gzips: bool) -> Key | None:
        """The key of a GET request; None if it is not shared."""
        if self._names.fullmatch(target) is None:
            return None
        return target, gzips and not target.endswith(MEDIA)

    def find(self, key: Key) -> HotAnswer | None:
        """The kept answer, if it is still right."""
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._clock() or not kept.is_current():
            return None
        return kept.answer

    def wait(self, key: Key, waiter: Waiter) -> bool:
        """Whether the answer to ``key`` is awaited; ``waiter`` then gets it."""
        request = self._awaited.get(key)
        if request is None:
            return False
        request.waiters[waiter] = None
        return True

    def waiting(self, key: Key) -> int:
        """How many wait for the answer to ``key``."""
        request = self._awaited.get(key)
        return len(request.waiters) if request is not None else 0

    def leave(self, key: Key, waiter: Waiter) -> None:
        request = self._awaited.get(key)
        if request is not None:
            request.waiters.pop(waiter, None)

    def begin(self, key: Key) -> SharedRequest | None:
        """For the scope of a request whose answer others may wait for until :meth:`settle`; None if an earlier
        request for ``key`` is on its way."""
        if key in self._awaited:
            return None
        request = self._awaited[key] = SharedRequest(key, self._generation)
        return request

    def settle(self, request: SharedRequest, answer: HotAnswer | None) -> None:
        """Keep the answer if it may be kept, and pass it to those who wait. Later calls do nothing."""
        if self._awaited.get(request.key) is not request:
            return
        del self._awaited[request.key]
        now = self._clock()
        self._drop_oldest(lambda kept: kept.until <= now)
        if answer is not None and request.is_current is not None and request.generation == self._generation:
            self._keep(request.key, _Kept(answer, now + MAX_AGE_S, request.is_current))
        _resolve(list(request.waiters), answer)

    def count(self, answer: HotAnswer) -> None:
        """``answer`` is repeated."""
        self._on_served(answer.resource, answer.status, answer.size)

    def clear(self) -> None:
        """Who may have which answer has changed."""
        self._generation += 1
        self._kept.clear()
        self._bytes = 0

    def _keep(self, key: Key, new: _Kept) -> None:
        size = new.answer.size
        if size > self._max_bytes:
            return
        self._drop(key)
        self._drop_oldest(lambda kept: self._bytes + size > self._max_bytes)
        self._kept[key] = new
        self._bytes += size

    def _drop_oldest(self, condition: Callable[[_Kept], bool]) -> None:
        """Drop the oldest answers, up to the first one for which ``condition`` is False."""
        while self._kept:
            key, kept = next(iter(self._kept.items()))
            if not condition(kept):
                break
            self._drop(key)

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= kept.answer.size


class SharedAnswers:
    """An ASGI middleware around everything that adds header fields. It gives the answers to shared requests to
    ``hot``, when their header is sent: how fast the first client reads does not matter to the others."""

    def __init__(self, app: ASGIApp, hot: HotAnswers) -> None:
        self._app = app
        self._hot = hot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: SharedRequest | None = scope.get(SHARED)
        if request is None:
            await self._app(scope, receive, send)
            return
        hot, shared = self._hot, request

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                hot.settle(shared, None if shared.body is None else _answer(message, shared))
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            hot.settle(shared, None)


def _answer(message: Message, request: SharedRequest) -> HotAnswer:
    assert request.body is not None
    fields = (b"%b: %b\r\n" % field for field in message["headers"])
    head = b"".join((STATUS_LINE[message["status"]], *fields))
    return HotAnswer(message["status"], head, tuple(pieces(request.body)), len(request.body), request.resource)


def _resolve(waiters: Sequence[Waiter], answer: HotAnswer | None) -> None:
    for waiter in islice(waiters, BATCH):
        waiter.resolve(answer)
    if len(waiters) > BATCH:
        asyncio.get_running_loop().call_soon(_resolve, waiters[BATCH:], answer)


@lru_cache(maxsize=256)
def _accepts_gzip(value: bytes) -> bool:
    return accepts_gzip(value.decode("latin-1"))
