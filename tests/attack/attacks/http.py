"""Attacks of a client without a token on the HTTP port."""

import asyncio

from tests.attack.target import Target, ask, connected, hold, repeat

HEAD = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
LINE = b"X-Long: " + b"a" * 1000 + b"\r\n"
PIECE = b"a" * 65_536


async def endless_head(target: Target, seconds: float) -> None:
    """Header lines without end, on eight connections."""

    async def attempt(number: int) -> None:
        async with connected(target.http, number) as (_, writer):
            writer.write(HEAD)
            for _ in range(1000):
                writer.write(LINE * 60)
                await writer.drain()

    await repeat(seconds, 8, attempt)


async def endless_value(target: Target, seconds: float) -> None:
    """A header value without end, on eight connections."""

    async def attempt(number: int) -> None:
        async with connected(target.http, number) as (_, writer):
            writer.write(HEAD + b"X: ")
            for _ in range(1500):
                writer.write(PIECE)
                await writer.drain()

    await repeat(seconds, 8, attempt)


async def half_requests(target: Target, seconds: float) -> None:
    """1500 connections that begin a request and do not end it."""
    await hold(seconds, target.http, 1500, HEAD + b"X: ")


async def half_requests_of_one(target: Target, seconds: float) -> None:
    """The same from one address."""
    await hold(seconds, target.http, 1500, HEAD + b"X: ", one_address=True)


async def slow_range_readers(target: Target, seconds: float) -> None:
    """300 clients ask for a segment but for its first byte, and do not read it."""
    segment = next(path for path in target.paths if path.endswith(".m4s"))
    request = f"GET {segment} HTTP/1.1\r\nHost: a\r\nRange: bytes=1-\r\n\r\n".encode()
    await hold(seconds, target.http, 300, request)


async def pipelined(target: Target, seconds: float) -> None:
    """Requests for a segment without end, and no answer is read."""
    segment = next(path for path in target.paths if path.endswith(".m4s"))
    request = f"GET {segment} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 200

    async def attempt(number: int) -> None:
        async with connected(target.http, number) as (reader, writer):
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            for _ in range(50):
                writer.write(request)
                async with asyncio.timeout(2):
                    await writer.drain()

    await repeat(seconds, 20, attempt)


async def readiness(target: Target, seconds: float) -> None:
    """300 clients ask for /readyz again and again."""
    await repeat(seconds, 300, lambda number: ask(target, number, "/readyz"))


async def unknown_streams(target: Target, seconds: float) -> None:
    """300 clients ask for streams that do not exist, each time for another."""
    await repeat(seconds, 300, lambda number: ask(target, number, f"/live/no-{number}/master.m3u8"))


async def blocking_reloads(target: Target, seconds: float) -> None:
    """1000 clients wait for a part that comes late, and close the connection."""
    playlist = next(path for path in target.paths if path.endswith("media.m3u8"))

    async def attempt(number: int) -> None:
        async with connected(target.http, number) as (reader, writer):
            writer.write(f"GET {playlist}?_HLS_msn={10_000 + number} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            async with asyncio.timeout(0.5):
                await reader.read(100)

    await repeat(seconds, 200, attempt)


async def playback_reports(target: Target, seconds: float) -> None:
    """300 clients report how playback is (CMCD), each time for fifty sessions: of the stream that is on air, or of
    fifty streams that do not exist."""
    on_air = target.paths[0].split("/")[2]

    async def attempt(number: int) -> None:
        streams = [on_air if number % 2 else f"no-{number}-{index}" for index in range(50)]
        body = "".join(
            f'br=(2500;v),bs,bsd=({index}),cid="{stream}",e=t,ltc=1500,msd=800,sid="{number}-{index}",sta=p,'
            f"ts={1_795_257_665_000 + number},v=2\n"
            for index, stream in enumerate(streams)
        )
        head = f"POST /api/v1/cmcd HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        async with connected(target.http, number) as (reader, writer):
            writer.write((head + body).encode())
            async with asyncio.timeout(10):
                await reader.read()

    await repeat(seconds, 300, attempt)
