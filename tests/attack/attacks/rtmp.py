"""Attacks of a client without a key on the RTMP port."""

import asyncio

from ingest.rtmp.message import Message, MessageType
from tests.attack.target import Target, connected, hold, repeat
from tests.unit.ingest.wire import HANDSHAKE, ChunkWriter, command, control

BATCH = 2000
CLIENTS = 8
CONNECT = command("connect", 1.0, {"app": "live"})


def _chunks(message: Message, count: int = BATCH) -> bytes:
    writer = ChunkWriter()
    return b"".join(writer.message(3, message, 0) for _ in range(count))


TINY = _chunks(Message(MessageType.AUDIO, 1, 0, b"\xaf"))
PINGS = _chunks(Message(MessageType.USER_CONTROL, 0, 0, bytes((0, 6, 0, 0, 0, 1))))
CALLS = _chunks(command("noSuchThing", 5.0))
NULLS = _chunks(Message(MessageType.DATA_AMF0, 1, 0, b"\x02\x00\x0donMetaData" + b"\x05" * 60_000), 10)


async def _flood(target: Target, seconds: float, data: bytes) -> None:
    async def attempt(number: int) -> None:
        async with connected(target.rtmp, number) as (_, writer):
            writer.write(HANDSHAKE + ChunkWriter().message(3, CONNECT, 0))
            for _ in range(1000):
                writer.write(data)
                await writer.drain()

    await repeat(seconds, CLIENTS, attempt)


async def tiny_messages(target: Target, seconds: float) -> None:
    """Messages of one byte as fast as the socket takes them."""
    await _flood(target, seconds, TINY)


async def pings(target: Target, seconds: float) -> None:
    """Ping requests, each of which wants an answer."""
    await _flood(target, seconds, PINGS)


async def unknown_calls(target: Target, seconds: float) -> None:
    """Calls of a method that does not exist."""
    await _flood(target, seconds, CALLS)


async def amf_nulls(target: Target, seconds: float) -> None:
    """Data messages of 60 000 AMF nulls."""
    await _flood(target, seconds, NULLS)


async def partial_messages(target: Target, seconds: float) -> None:
    """Connections that begin messages of 16 MiB on many chunk streams, and close."""

    async def attempt(number: int) -> None:
        async with connected(target.rtmp, number) as (_, writer):
            chunks = ChunkWriter()
            writer.write(HANDSHAKE + chunks.message(3, CONNECT, 0))
            writer.write(chunks.message(2, control(MessageType.SET_CHUNK_SIZE, 1 << 20), 0))
            for stream in range(4, 60):
                header = bytes((stream, 0, 0, 0, 0xFF, 0xFF, 0xFF, MessageType.VIDEO, 1, 0, 0, 0))
                writer.write(header + bytes(1 << 18))
                async with asyncio.timeout(1):
                    await writer.drain()

    await repeat(seconds, 50, attempt)


async def held_sockets(target: Target, seconds: float) -> None:
    """1000 connections from one address that only begin the handshake."""
    await hold(seconds, target.rtmp, 1000, b"\x03", one_address=True)


async def held_sockets_of_many(target: Target, seconds: float) -> None:
    """The same from many addresses."""
    await hold(seconds, target.rtmp, 1000, b"\x03")
