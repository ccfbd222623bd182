"""What an attacker knows of the server, and how it connects."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

Address = tuple[str, int]
# The connections fail when the server refuses them, which is what an attack provokes.
REFUSED = (OSError, asyncio.IncompleteReadError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Target:
    """``paths`` are what the viewers of a stream that is on air request: a media playlist, then segments. ``key``
    is of another stream; only attacks by a broadcaster use it."""

    http: Address
    rtmp: Address
    paths: tuple[str, ...]
    key: str


class Client(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


def source(number: int) -> str:
    """The address of client ``number``. Linux has all of 127.0.0.0/8 on the loopback interface; the other parts of
    the program use 127.0.0.x."""
    return f"127.{1 + number // 62_500 % 250}.{number // 250 % 250}.{1 + number % 250}"


@asynccontextmanager
async def connected(address: Address, number: int = 0) -> AsyncIterator[Client]:
    """A connection of client ``number``. Errors of the connection end the block."""
    with suppress(*REFUSED):
        reader, writer = await asyncio.open_connection(*address, local_addr=(source(number), 0))
        try:
            yield Client(reader, writer)
        finally:
            writer.transport.abort()


async def repeat(seconds: float, count: int, attempt: Callable[[int], Awaitable[None]]) -> None:
    """Run ``attempt`` again and again in ``count`` tasks. It gets a new number each time."""
    numbers = iter(range(1 << 30))
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds

    async def attempts() -> None:
        # An attempt that swallows its cancellation is the last one.
        while loop.time() < end:
            await attempt(next(numbers))
            await asyncio.sleep(0)

    with suppress(TimeoutError):
        async with asyncio.timeout_at(end), asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(attempts())


async def hold(seconds: float, address: Address, count: int, first: bytes, *, one_address: bool = False) -> None:
    """Hold ``count`` connections that have sent ``first`` and read nothing. Replace those that are closed."""

    async def attempt(number: int) -> None:
        with suppress(*REFUSED):
            client = socket.socket()
            with client:
                client.setblocking(False)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.bind((source(0 if one_address else number), 0))
                loop = asyncio.get_running_loop()
                await loop.sock_connect(client, address)
                await loop.sock_sendall(client, first)
                while client.fileno() >= 0 and not _is_closed(client):
                    await asyncio.sleep(0.2)
        await asyncio.sleep(0.05)

    await repeat(seconds, count, attempt)


async def ask(target: Target, number: int, path: str) -> None:
    """Request ``path`` on a connection of its own, and read the answer."""
    async with connected(target.http, number) as (reader, writer):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        async with asyncio.timeout(10):
            await reader.read()


def _is_closed(client: socket.socket) -> bool:
    try:
        return client.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
