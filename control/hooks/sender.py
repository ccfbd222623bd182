"""Sends one message over HTTP, and describes the answer in words.

httpx is imported late and in a thread: a server without hooks does not need it, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from control.hooks.addresses import HookTarget, IPAddress, LookUp, checked_addresses, parse_target
from control.version import version
from origin.api.errors import BadHookTarget

if TYPE_CHECKING:
    import httpx

# Seconds.
CONNECT_S = 3.0
WHOLE_S = 10.0
# Characters.
MAX_ERROR = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` is None without an answer. ``error`` is None after a status of 200 to 299. ``retry_after_s`` is
    what the target asks for."""

    duration_s: float
    status: int | None = None
    error: str | None = None
    retry_after_s: float | None = None


class Sender:
    """``clock`` returns Unix seconds."""

    def __init__(
        self,
        look_up: LookUp,
        *,
        allow_private: Callable[[], bool],
        connect_s: float = CONNECT_S,
        whole_s: float = WHOLE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._look_up = look_up
        self._allow_private = allow_private
        self._connect_s = connect_s
        self._whole_s = whole_s
        self._clock = clock
        self._client: asyncio.Task[httpx.AsyncClient] | None = None

    async def check(self, url: str) -> None:
        """Raises BadHookTarget if ``url`` must not be called now."""
        target = parse_target(url)
        try:
            async with asyncio.timeout(self._whole_s):
                await self._addresses(target)
        except TimeoutError:
            raise BadHookTarget(f"the name {target.host} was not resolved within {self._whole_s:g} s") from None

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Failures are answers."""
        began = time.monotonic()
        status: int | None = None
        retry_after_s: float | None = None
        try:
            async with asyncio.timeout(self._whole_s):
                client = await self._ready()
                status, retry_after_s = await self._post(client, parse_target(url), headers, body)
            error = None if 200 <= status < 300 else _status_words(status)
        except TimeoutError:
            error = f"no answer within {self._whole_s:g} s"
        except BadHookTarget as refused:
            error = str(refused)[:MAX_ERROR]
        except Exception as failure:
            error = self._failure_words(failure)
        return Answer(round(time.monotonic() - began, 3), status, error, retry_after_s)

    async def close(self) -> None:
        if self._client is not None:
            with suppress(OSError):
                await (await self._client).aclose()

    async def _ready(self) -> httpx.AsyncClient:
        """The client, which the first call makes in a thread."""
        if self._client is None or (self._client.done() and self._client.exception() is not None):
            self._client = asyncio.create_task(asyncio.to_thread(_make_client, self._connect_s, self._whole_s))
        return await asyncio.shield(self._client)

    async def _addresses(self, target: HookTarget) -> tuple[IPAddress, ...]:
        return await checked_addresses(target, self._look_up, allow_private=self._allow_private())

    async def _post(
        self, client: httpx.AsyncClient, target: HookTarget, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, float | None]:
        """The status and Retry-After. Raises the errors of httpx."""
        import httpx

        *others, last = await self._addresses(target)
        for address in others:
            try:
                return await self._post_to(address, client, target, headers, body)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._post_to(last, client, target, headers, body)

    async def _post_to(
        self,
        address: IPAddress,
        client: httpx.AsyncClient,
        target: HookTarget,
        headers: Mapping[str, str],
        body: bytes,
    ) -> tuple[int, float | None]:
        import httpx

        # The address is in the URL, so that no name is resolved again. TLS checks the certificate of the name.
        url = httpx.URL(
            scheme=target.scheme, host=str(address), port=target.port, raw_path=target.path.encode("ascii")
        )
        async with client.stream(
            "POST",
            url,
            headers={**headers, "Host": target.authority, "Content-Type": "application/json"},
            content=body,
            extensions={"sni_hostname": target.host},
        ) as response:
            # The body is not read.
            return response.status_code, _retry_after(response.headers.get("Retry-After"), self._clock())

    def _failure_words(self, failure: Exception) -> str:
        import httpx

        match failure:
            case httpx.ConnectTimeout():
                return f"no connection within {self._connect_s:g} s"
            case httpx.TimeoutException():
                return f"no answer within {self._whole_s:g} s"
            case httpx.ConnectError():
                return f"no connection: {failure}"[:MAX_ERROR]
            case httpx.TransportError():
                return f"the connection failed: {str(failure) or type(failure).__name__}"[:MAX_ERROR]
            case OSError():
                return f"the certificates to check targets with cannot be read: {failure}"[:MAX_ERROR]
        raise failure


def _make_client(connect_s: float, whole_s: float) -> httpx.AsyncClient:
    import httpx

    context: ssl.SSLContext = httpx.create_ssl_context()
    return httpx.AsyncClient(
        verify=context,
        timeout=httpx.Timeout(whole_s, connect=connect_s),
        # Connections are not kept: two names at one address must not share one.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        follow_redirects=False,
        # A proxy would resolve the name itself.
        trust_env=False,
        headers={"User-Agent": f"headwater/{version()}", "Accept": "*/*"},
    )


def _status_words(status: int) -> str:
    try:
        words = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        words = str(status)
    return f"{words}: redirects are not followed" if 300 <= status < 400 else words


def _retry_after(value: str | None, now: float) -> float | None:
    """Seconds (RFC 9110, 10.2.3); None without a valid value."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None
