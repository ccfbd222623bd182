"""Asks caches in front to forget deleted objects, in the background.

With ``PURGE``, as Varnish and other caches take it, each object is a request to its path below the cache's URL.
With ``POST``, for the interface of a CDN, the URL gets JSON: ``{"urls": [...]}`` with up to 100 public URLs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

if TYPE_CHECKING:
    import httpx

log = structlog.get_logger("control")

MAX_WAITING = 100_000
BATCH = 100
AT_ONCE = 8
TRIES = 3
RETRY_S = 2.0
TIMEOUT_S = 10.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# A cache that never had the object may answer 404, and nginx's purge module 412.
NOT_CACHED = frozenset({404, 410, 412})
NOT_ALLOWED = frozenset({401, 403, 405})


class PurgeMethod(StrEnum):
    PURGE = "PURGE"
    POST = "POST"


class CachePurge:
    """One cache. Objects beyond MAX_WAITING, and those that the cache does not take after a few tries, stay in it
    until it drops them. ``on_done(result, count)`` counts: ``done``, ``failed`` or ``lost``. ``public_url`` has no
    slash at its end. Tests replace the ``transport`` and the ``pause``."""

    def __init__(
        self,
        url: str,
        method: PurgeMethod,
        *,
        public_url: str,
        on_done: Callable[[str, int], None],
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = url
        self._method = method
        self._public_url = public_url
        self._on_done = on_done
        self._transport = transport
        self._pause = pause
        self._waiting: deque[str] = deque()
        self._task: asyncio.Task[None] | None = None

    def forget(self, keys: Sequence[str]) -> None:
        """Never waits, and never fails."""
        room = max(0, MAX_WAITING - len(self._waiting))
        self._waiting.extend(keys[:room])
        self._count_lost(len(keys[room:]), "lost", "too many objects wait for it")
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._send_waiting())

    async def drained(self) -> None:
        """Wait until nothing waits."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        self._count_lost(len(self._waiting), "lost", "the server ends")
        self._waiting.clear()

    async def _send_waiting(self) -> None:
        # Imported late: most servers have no cache to ask.
        import httpx

        trust_env = urlsplit(self._url).hostname not in LOOPBACK
        async with httpx.AsyncClient(transport=self._transport, timeout=TIMEOUT_S, trust_env=trust_env) as client:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                try:
                    await self._send(client, batch)
                except Exception:
                    log.exception("a cache cannot be purged", cache=self._url)
                    self._on_done("failed", len(batch))

    async def _send(self, client: httpx.AsyncClient, batch: Sequence[str]) -> None:
        if self._method is PurgeMethod.POST:
            urls = [f"{self._public_url}/{key}" for key in batch]
            reasons = [await self._ask(client, "POST", self._url, {"urls": urls})] * len(batch)
        else:
            gate = asyncio.Semaphore(AT_ONCE)

            async def purge(key: str) -> str | None:
                async with gate:
                    return await self._ask(client, "PURGE", f"{self._url}/{key}", None)

            reasons = await asyncio.gather(*map(purge, batch))
        failures = [reason for reason in reasons if reason is not None]
        if len(failures) < len(batch):
            self._on_done("done", len(batch) - len(failures))
        if failures:
            self._count_lost(len(failures), "failed", failures[0])

    async def _ask(self, client: httpx.AsyncClient, method: str, url: str, body: object) -> str | None:
        """Why the cache did not do it; None if it did."""
        import httpx

        reason = ""
        for attempt in range(TRIES):
            if attempt:
                await self._pause(RETRY_S * attempt)
            try:
                answer = await client.request(method, url, json=body)
            except (httpx.TransportError, httpx.InvalidURL) as error:
                reason = str(error) or type(error).__name__
                continue
            if answer.is_success or answer.status_code in NOT_CACHED:
                return None
            reason = f"it answers {answer.status_code}"
            if answer.status_code in NOT_ALLOWED:
                return f"{reason}: allow this server to purge it (docs/deployment.md)"
            if answer.status_code < 500 and answer.status_code != 429:
                return reason
        return reason

    def _count_lost(self, count: int, result: str, reason: str) -> None:
        if count:
            log.warning("deleted objects stay in a cache", cache=self._url, objects=count, reason=reason)
            self._on_done(result, count)
