"""A viewer of the good stream and a load balancer's health check, in a process of their own beside the attack."""

import asyncio
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from urllib.parse import urljoin

import httpx

from packager import hls
from tests.attack.target import Address
from tests.lab.errors import LabError

EVERY_S = 0.05
PATIENCE_S = 30.0
GUEST = "127.0.0.9"


@dataclass(slots=True)
class Seen:
    """``health_s`` are the answer times of ``/healthz``; ``failures`` in words, of both."""

    health_s: list[float] = field(default_factory=list)
    parts: int = 0
    failures: list[str] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """Of the answer times, in seconds."""
        ordered = sorted(self.health_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def watch(address: Address, playlist: str, pipe: "Connection[Seen | LabError, str]") -> None:
    """The main function of the process. ``playlist`` is the path of a low-latency media playlist."""
    asyncio.run(_watch(address, playlist, pipe))


async def _watch(address: Address, playlist: str, pipe: "Connection[Seen | LabError, str]") -> None:
    seen = Seen()
    transport = httpx.AsyncHTTPTransport(local_address=GUEST)
    base = "http://{}:{}".format(*address)
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE_S, transport=transport) as client:
        tasks = [
            asyncio.create_task(_check_health(address, seen)),
            asyncio.create_task(_view(client, playlist, seen)),
        ]
        pipe.send(seen)
        await asyncio.to_thread(pipe.poll, None)
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                seen.failures.append(f"the viewer stopped: {outcome!r}")
    pipe.send(seen)


async def _check_health(address: Address, seen: Seen) -> None:
    """Each check opens a connection, as a load balancer does."""
    while True:
        start = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await _ask(address)
        except (OSError, TimeoutError) as error:
            seen.failures.append(f"/healthz did not answer: {error!r}")
        else:
            if not answer.startswith(b"HTTP/1.1 200"):
                seen.failures.append(f"/healthz answered {answer[:60]!r}")
        seen.health_s.append(time.monotonic() - start)
        await asyncio.sleep(max(0.0, EVERY_S - (time.monotonic() - start)))


async def _ask(address: Address) -> bytes:
    reader, writer = await asyncio.open_connection(*address, local_addr=(GUEST, 0))
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return await reader.read()
    finally:
        writer.close()


async def _view(client: httpx.AsyncClient, path: str, seen: Seen) -> None:
    """Follow the playlist by blocking reload and fetch each new part (draft-pantos-hls-rfc8216bis, 6.2.5.2)."""
    known: set[str] = set()
    query = ""
    while True:
        playlist = hls.parse_media((await _get(client, path + query)).decode())
        opened = playlist.partial.parts if playlist.partial is not None else ()
        parts = [*(part for segment in playlist.segments for part in segment.parts), *opened]
        fresh = [part for part in parts if part.uri not in known] if known else parts[-1:]
        known.update(part.uri for part in parts)
        for part in fresh:
            data = await _get(client, urljoin(path, part.uri))
            if not data:
                seen.failures.append(f"part {part.uri} is empty")
            seen.parts += 1
        next_msn = playlist.media_sequence + len(playlist.segments)
        query = f"?_HLS_msn={next_msn}&_HLS_part={len(opened)}"


async def _get(client: httpx.AsyncClient, path: str) -> bytes:
    answer = await client.get(path)
    if answer.status_code != 200:
        raise LabError(f"{path} answered {answer.status_code}: {answer.text[:200]}")
    return answer.content
