"""What a client may send to the HTTP port and how long it may take, over real sockets on loopback."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from control.http_limits import HttpConnections, HttpLimits
from control.http_protocol import PIECE, BoundedHttpProtocol
from control.http_server import HttpServer
from media.peers import TrustedPeers
from origin.hot import HotAnswers
from tests.lab.event_loops import Run

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HANGS = b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"
BIG = 8 << 20


async def application(scope: Any, receive: Any, send: Any, *, release: asyncio.Event) -> None:
    headers: list[tuple[bytes, bytes]] = []
    body = b"ok"
    if scope["path"] == "/hang":
        await release.wait()
    elif scope["path"] == "/read":
        while (message := await receive())["type"] != "http.disconnect" and message["more_body"]:
            pass
    elif scope["path"] == "/big":
        body = bytes(BIG)
    elif scope["path"] == "/fields":
        body = b",".join(name for name, _ in scope["headers"])
        while (await receive()).get("more_body"):
            pass
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for start in range(0, len(body), 1 << 16):
        piece = body[start : start + (1 << 16)]
        await send({"type": "http.response.body", "body": piece, "more_body": start + len(piece) < len(body)})


@dataclass
class Front:
    port: int
    connections: HttpConnections
    refused: Counter[str]
    release: asyncio.Event
    hanging: bool = False
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        return reader, writer

    async def answer(self, *pieces: bytes) -> bytes:
        """The answer to ``pieces``, until the server closes."""
        reader, writer = await self.connect()
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        return await until_closed(reader, writer)


async def until_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    received = b""
    try:
        while data := await reader.read(1 << 16):
            received += data
    except ConnectionError:
        pass
    writer.close()
    return received


@asynccontextmanager
async def serving(*, trusted: tuple[str, ...] = (), **limits: Any) -> AsyncIterator[Front]:
    refused: Counter[str] = Counter()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setblocking(False)
    connections = HttpConnections(
        HttpLimits(**{"linger": 0.3, **limits}),
        trusted=TrustedPeers(trusted),
        on_refused=lambda code: refused.update([code]),
    )
    release = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/hang":
            front.hanging = True
        await application(scope, receive, send, release=release)

    server = HttpServer(
        app, connections, HotAnswers(any_origin=True, on_served=lambda *_: None), trusted_proxies=trusted
    )
    async with server.running(listener):
        front = Front(listener.getsockname()[1], connections, refused, release)
        yield front
        release.set()
        for writer in front.writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def head_of(size: int) -> bytes:
    """A request whose line and fields count as ``size`` bytes."""
    fixed = b"GET / HTTP/1.1\r\nConnection: close\r\nX: "
    return fixed + b"x" * (size - len("/") - len("Connection: close\r\n") - len("X: \r\n")) + b"\r\n\r\n"


def test_a_head_within_the_bound_is_answered(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            assert status(await front.answer(head_of(32 * 1024))) == 200

    run(scenario)


@pytest.mark.parametrize(
    "pieces",
    [
        [head_of(32 * 1024 + 1)],
        [b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n"],
        [b"GET / HTTP/1.1\r\n"] + [b"X: y\r\n"] * 102,
        [b"GET / HTTP/1.1\r\nX: "] + [b"x" * 1000] * 100,
        [b"GET / HTTP/1.1\r\n" + b"n" * 50_000],
        [b"\r\n" * 30_000],
    ],
    ids=["one byte over", "path", "fields", "endless value", "endless name", "empty lines"],
)
def test_a_larger_head_is_refused_before_it_is_complete(run: Run, pieces: list[bytes]) -> None:
    async def scenario() -> None:
        async with serving() as front:
            answer = await front.answer(*pieces)
            assert status(answer) == 431
            assert b"at most 32768 bytes and 100 fields" in answer
            assert front.refused == {"head-too-large": 1}
            assert status(await front.answer(head_of(100))) == 200

    run(scenario)


@pytest.mark.parametrize(
    "tail", [b"X: y\r\n" * 102, b"X: " + b"y" * 60_000, b"5;" + b"e" * 60_000], ids=["fields", "value", "extension"]
)
def test_trailer_fields_and_chunk_extensions_have_the_same_bound(run: Run, tail: bytes) -> None:
    async def scenario() -> None:
        head = b"POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        last = b"" if tail.startswith(b"5;") else b"0\r\n"
        async with serving() as front:
            assert status(await front.answer(head + b"1\r\na\r\n" + last + tail)) == 431

    run(scenario)


def test_trailer_fields_are_not_header_fields(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            answer = await front.answer(
                b"POST /fields HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"0\r\nAuthorization: Bearer t\r\n\r\n"
            )
            assert answer.endswith(b"connection,transfer-encoding")

    run(scenario)


def test_requests_in_a_row_are_counted_each_for_itself(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            reader, writer = await front.connect()
            for _ in range(20):
                writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 9_000 + b"\r\n\r\n")
                assert b"200" in await reader.readline()
                await reader.readuntil(b"ok")
            writer.close()
            assert not front.refused

    run(scenario)


@pytest.mark.parametrize("ahead", [10, 500])
def test_requests_that_are_sent_ahead_are_answered_in_order(run: Run, ahead: int) -> None:
    async def scenario() -> None:
        async with serving() as front:
            close = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
            assert (await front.answer(GET * ahead + close)).count(b"200 OK") == ahead + 1

    run(scenario)


def test_few_of_the_requests_behind_one_that_is_answered_are_parsed(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            _, writer = await front.connect()
            writer.write(HANGS * 2000)
            while not front.hanging:
                await asyncio.sleep(0.01)
            (connection,) = front.connections._addresses
            assert isinstance(connection, BoundedHttpProtocol)
            assert len(connection.pipeline) < PIECE / len(HANGS)
            writer.transport.abort()
            front.release.set()
            while len(front.connections):
                await asyncio.sleep(0.01)

    run(scenario)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(b"", 0), (b"GET / HT", 408), (b"GET / HTTP/1.1\r\nX: y\r\n", 408), (POST + b"12345", 408), (b"\r\n", 408)],
    ids=["nothing", "line", "fields", "body", "empty line"],
)
def test_an_incomplete_request_is_dropped_after_the_deadline(run: Run, sent: bytes, expected: int) -> None:
    async def scenario() -> None:
        async with serving(request_timeout=0.2) as front:
            assert status(await front.answer(sent)) == expected

    run(scenario)


def test_bytes_that_trickle_do_not_extend_the_deadline(run: Run) -> None:
    async def scenario() -> None:
        async with serving(request_timeout=0.3) as front:
            reader, writer = await front.connect()
            writer.write(b"GET / HTTP/1.1\r\nX: ")

            async def trickle() -> None:
                while True:
                    writer.write(b"x")
                    await asyncio.sleep(0.05)

            trickling = asyncio.create_task(trickle())
            assert status(await until_closed(reader, writer)) == 408
            trickling.cancel()

    run(scenario)


def test_a_connection_without_a_next_request_is_closed(run: Run) -> None:
    async def scenario() -> None:
        async with serving(idle_timeout=0.2) as front:
            assert (await front.answer(GET)).count(b"200 OK") == 1
            assert len(front.connections) == 0

    run(scenario)


def test_a_held_request_outlives_the_deadlines(run: Run) -> None:
    async def scenario() -> None:
        async with serving(request_timeout=0.1, idle_timeout=0.1, send_timeout=0.1) as front:
            reader, writer = await front.connect()
            writer.write(HANGS)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await reader.read(1)
            writer.close()
            assert not front.refused

    run(scenario)


@pytest.mark.parametrize("connection", [b"close", b"keep-alive"])
def test_a_client_that_does_not_read_is_cut_off(run: Run, connection: bytes) -> None:
    async def scenario() -> None:
        async with serving(send_timeout=0.3, idle_timeout=0.2) as front:
            reader, writer = await front.connect()
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(b"GET /big HTTP/1.1\r\nConnection: " + connection + b"\r\n\r\n")
            while not front.refused:
                await asyncio.sleep(0.02)
            assert front.refused == {"send-timeout": 1}
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            assert len(await until_closed(reader, writer)) < BIG

    run(scenario)


def test_a_slow_reader_gets_everything(run: Run) -> None:
    async def scenario() -> None:
        async with serving(send_timeout=0.5, idle_timeout=0.1) as front:
            reader, writer = await front.connect()
            writer.write(b"GET /big HTTP/1.1\r\n\r\n")
            received = 0
            while data := await reader.read(256 * 1024):
                received += len(data)
                await asyncio.sleep(0.02)
            writer.close()
            assert received > BIG

    run(scenario)


def test_one_address_has_a_limited_number_of_connections(run: Run) -> None:
    async def scenario() -> None:
        async with serving(per_address=3) as front:
            held = [await front.connect() for _ in range(3)]
            answer = await front.answer()
            assert status(answer) == 503
            assert b"3 connections from your address" in answer
            held.pop()[1].close()
            while len(front.connections) > 2:
                await asyncio.sleep(0.01)
            assert status(await front.answer(head_of(100))) == 200

    run(scenario)


def test_a_trusted_proxy_has_no_limit_of_its_own(run: Run) -> None:
    async def scenario() -> None:
        async with serving(per_address=1, trusted=("127.0.0.1",)) as front:
            for _ in range(5):
                await front.connect()
            assert status(await front.answer(head_of(100))) == 200

    run(scenario)


def test_a_full_server_closes_the_connection_that_has_waited_longest(run: Run) -> None:
    async def scenario() -> None:
        async with serving(connections=3) as front:
            served, waiting, newer = [await front.connect() for _ in range(3)]
            served[1].write(HANGS)
            waiting[1].write(b"GET / HTTP/1.1\r\nX: y")
            while len(front.connections) < 3:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            answer = await front.answer(head_of(100))
            assert status(answer) == 200
            assert await until_closed(*waiting) == b""
            assert front.refused == {"connection-evicted": 1}
            assert not newer[0].at_eof() and not served[0].at_eof()

    run(scenario)


def test_a_server_full_of_running_requests_refuses_in_words(run: Run) -> None:
    async def scenario() -> None:
        async with serving(connections=2) as front:
            held = [await front.connect() for _ in range(2)]
            for _, writer in held:
                writer.write(HANGS)
            await asyncio.sleep(0.1)
            answer = await front.answer()
            assert status(answer) == 503
            assert b"as many connections as it can hold" in answer

    run(scenario)


def test_a_request_behind_others_ends_with_its_connection(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """The one that is answered is not the newest that has arrived."""

    async def scenario() -> None:
        async with serving() as front:
            _, writer = await front.connect()
            # The first is answered at once, the second hangs, and the third is the newest that has arrived.
            writer.write(GET + HANGS * 2)
            await writer.drain()
            while not front.hanging:
                await asyncio.sleep(0.01)
            writer.transport.abort()
            while len(front.connections):
                await asyncio.sleep(0.01)
            front.release.set()
            await asyncio.sleep(0)

    run(scenario)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
