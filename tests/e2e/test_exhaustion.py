"""A server with few file descriptors, and clients that hold as many connections as they can."""

import asyncio
import json
import resource
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.lab.server import Server, serving
from tests.unit.ingest.wire import HANDSHAKE, ChunkWriter, ReplyReader, command

OPEN_FILES = 1024
HELD = 1100
HALF = b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: "
# The address that clients take; the server counts each separately.
CROWD = "127.0.0.1"
GUEST = "127.0.0.9"


@contextmanager
def holding(address: tuple[str, int], count: int, first: bytes, source: str = CROWD) -> Iterator[None]:
    """``count`` connections that have sent ``first`` and nothing more."""
    with ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.create_connection(address, timeout=5, source_address=(source, 0)))
            client.sendall(first)
        yield


def http(server: Server) -> tuple[str, int]:
    parts = urlsplit(server.http)
    assert parts.hostname and parts.port
    return parts.hostname, parts.port


def rtmp(server: Server) -> tuple[str, int]:
    parts = urlsplit(server.rtmp)
    assert parts.hostname and parts.port
    return parts.hostname, parts.port


def health(server: Server) -> bytes:
    with socket.create_connection(http(server), timeout=5, source_address=(GUEST, 0)) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return client.makefile("rb").read()


async def publish_status(server: Server, key: str) -> bytes:
    reader, writer = await asyncio.open_connection(*rtmp(server), local_addr=(GUEST, 0))
    chunks, answers = ChunkWriter(), ReplyReader()
    writer.write(HANDSHAKE)
    for message in (command("connect", 1.0, {"app": "live"}), command("publish", 2.0, None, key, on=1)):
        writer.write(chunks.message(3, message, 0))
    try:
        async with asyncio.timeout(10):
            while data := await reader.read(65536):
                for message in answers.messages(data):
                    if b"onStatus" in message.payload:
                        return bytes(message.payload)
    finally:
        writer.close()
    return b""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3 * HELD:
        pytest.skip(f"this test needs {3 * HELD} open files, and the limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    config = '[http]\ntrusted_proxies = ["127.0.0.1"]\n[store]\nlocation = "' + str(tmp_path / "store") + '"\n'
    try:
        with serving(tmp_path / "data", config=config, open_files=OPEN_FILES) as server:
            yield server
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_held_connections_stop_neither_http_nor_rtmp_nor_the_store(server: Server) -> None:
    """The crowd comes from a trusted proxy, so that only the number of all connections limits it."""
    with holding(http(server), HELD, HALF), holding(rtmp(server), HELD, b"\x03"):
        assert health(server).startswith(b"HTTP/1.1 200")
        # This writes to the store.
        key = server.create("studio-a").rpartition("/")[2]
        assert b"NetStream.Publish.Start" in asyncio.run(publish_status(server, key))
        with urllib.request.urlopen(f"{server.http}/readyz", timeout=10) as answer:
            assert json.load(answer)["ready"] is True
    used = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
    assert used < OPEN_FILES


def test_one_address_cannot_take_all_connections(server: Server) -> None:
    with holding(http(server), HELD, HALF, source="127.0.0.2"):
        assert health(server).startswith(b"HTTP/1.1 200")
        assert len(list(Path(f"/proc/{server.pid}/fd").iterdir())) < OPEN_FILES // 2
