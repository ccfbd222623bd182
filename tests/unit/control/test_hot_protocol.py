"""Shared requests over real sockets on loopback: one answer of the application for all who ask."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from control.http_limits import HttpConnections, HttpLimits
from control.http_server import HttpServer
from origin.body import SharedBody
from origin.hot import SHARED, HotAnswers
from tests.lab.event_loops import Run

PART, BIG, SLOW, MOVING, GROWING = "1.1.m4s", "1.m4s", "media.m3u8?_HLS_msn=1", "media.m3u8", "2.m4s"
BIG_BYTES = 8 << 20


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def ask(self, *names: str, method: str = "GET", fields: str = "", version: str = "1.1") -> None:
        """Send requests in one write."""
        heads = (f"{method} /live/a/b/v/{name} HTTP/{version}\r\nHost: a\r\n{fields}\r\n" for name in names)
        self._writer.write("".join(heads).encode())

    async def answer(self, *, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        status, *lines = head.split("\r\n")[:-2]
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if fields.get("transfer-encoding") == "chunked":
            return int(status.split()[1]), fields, await self._reader.readuntil(b"0\r\n\r\n")
        body = await self._reader.readexactly(int(fields["content-length"])) if has_body else b""
        return int(status.split()[1]), fields, body

    async def get(self, name: str, *, fields: str = "") -> tuple[int, dict[str, str], bytes]:
        self.ask(name, fields=fields)
        return await self.answer()

    async def closed(self) -> bool:
        return not await self._reader.read(1)

    def pause(self) -> None:
        self._reader._transport.pause_reading()  # type: ignore[attr-defined]

    def close(self) -> None:
        self._writer.close()

    async def gone(self) -> None:
        self.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


@dataclass
class Front:
    """``calls`` counts the requests that reach the application, ``served`` the repeated answers. The answer to SLOW
    waits for ``release``."""

    hot: HotAnswers
    connections: HttpConnections
    calls: Counter[str]
    served: Counter[str]
    release: asyncio.Event
    server: HttpServer
    port: int
    clients: list[Client] = field(default_factory=list)

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port, limit=BIG_BYTES))
        self.clients.append(client)
        return client

    async def reached(self, name: str, count: int = 1) -> None:
        while self.calls[name] < count:
            await asyncio.sleep(0.005)

    async def waiting(self, name: str, count: int) -> None:
        """Until ``count`` connections wait for the answer to ``name``."""
        key = (f"/live/a/b/v/{name}".encode(), False)
        while self.hot.waiting(key) < count:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def serving() -> AsyncIterator[Front]:
    calls, served, release = Counter[str](), Counter[str](), asyncio.Event()
    hot = HotAnswers(any_origin=True, on_served=lambda resource, status, size: served.update([resource]))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        query = scope["query_string"].decode()
        name = scope["path"].removeprefix("/live/a/b/v/") + (f"?{query}" if query else "")
        calls[name] += 1
        if name == GROWING:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"abc", "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return
        if name == SLOW:
            await release.wait()
        response = SharedBody(
            bytes(BIG_BYTES) if name == BIG else name.encode(), headers={"X-Call": str(calls[name])}
        )
        if (shared := scope.get(SHARED)) is not None:
            shared.answer(response.body, name)
            if name != MOVING:
                shared.keep()
        await response(scope, receive, send)

    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    connections = HttpConnections(HttpLimits(send_timeout=0.5))
    server = HttpServer(app, connections, hot, trusted_proxies=())
    async with server.running(listener):
        front = Front(hot, connections, calls, served, release, server, listener.getsockname()[1])
        yield front
        release.set()
        for client in front.clients:
            await client.gone()


def test_an_immutable_answer_is_repeated(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            one, other = await front.connect(), await front.connect()
            first = await one.get(PART)
            assert first[0] == 200 and first[2] == PART.encode() and "date" in first[1]
            # By the parser, and from the second time on by the bytes of the fields.
            assert [await other.get(PART), await other.get(PART), await one.get(PART)] == [first] * 3
            assert (front.calls[PART], front.served[PART]) == (1, 3)

    run(scenario)


def test_an_answer_that_may_change_is_made_each_time(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            client = await front.connect()
            assert [(await client.get(MOVING))[1]["x-call"] for _ in range(3)] == ["1", "2", "3"]

    run(scenario)


@pytest.mark.parametrize("asked_before", [False, True], ids=["parsed", "unparsed"])
def test_a_herd_gets_one_answer(run: Run, asked_before: bool) -> None:
    async def scenario() -> None:
        async with serving() as front:
            clients = [await front.connect() for _ in range(100)]
            for client in clients if asked_before else ():
                await client.get(PART)
            clients[0].ask(SLOW)
            await front.reached(SLOW)
            for client in clients[1:]:
                client.ask(SLOW)
            await front.waiting(SLOW, 99)
            front.release.set()
            assert {(await client.answer())[2] for client in clients} == {SLOW.encode()}
            assert (front.calls[SLOW], front.served[SLOW]) == (1, 99)
            assert [(await client.get(PART))[0] for client in clients] == [200] * 100

    run(scenario)


def test_the_first_of_a_herd_may_leave(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            first, leaver, other = [await front.connect() for _ in range(3)]
            first.ask(SLOW)
            await front.reached(SLOW)
            leaver.ask(SLOW)
            other.ask(SLOW)
            await front.waiting(SLOW, 2)
            first.close()
            leaver.close()
            while len(front.connections) > 1:
                await asyncio.sleep(0.005)
            await front.waiting(SLOW, 1)
            front.release.set()
            assert (await other.answer())[2] == SLOW.encode()
            assert (front.calls[SLOW], front.served[SLOW]) == (1, 1)

    run(scenario)


@pytest.mark.parametrize("asked_before", [False, True], ids=["parsed", "unparsed"])
def test_requests_behind_one_that_waits(run: Run, asked_before: bool) -> None:
    async def scenario() -> None:
        async with serving() as front:
            first, other = await front.connect(), await front.connect()
            if asked_before:
                await other.get(PART)
            first.ask(SLOW)
            await front.reached(SLOW)
            other.ask(SLOW)
            await front.waiting(SLOW, 1)
            other.ask(PART, MOVING)
            other.ask(PART)
            front.release.set()
            bodies = [(await other.answer())[2].decode() for _ in range(4)]
            assert bodies == [SLOW, PART, MOVING, PART]

    run(scenario)


def test_pipelined_requests_are_answered_in_order(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            client = await front.connect()
            await client.get(PART)
            client.ask(PART, MOVING, BIG, PART)
            answered = [await client.answer() for _ in range(4)]
            assert [len(body) for _, _, body in answered] == [len(PART), len(MOVING), BIG_BYTES, len(PART)]

    run(scenario)


def test_a_request_that_arrives_in_two_pieces(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            client = await front.connect()
            await client.get(PART)
            client._writer.write(b"GET /live/a/b/v/1.1.m4s HTTP/1.1\r\nHo")
            await asyncio.sleep(0.05)
            # This ends as a known request does.
            client._writer.write(b"st: a\r\nX: \r\nHost: a\r\n\r\n")
            assert (await client.answer())[2] == PART.encode()
            assert (await client.get(PART))[0] == 200

    run(scenario)


@pytest.mark.parametrize(
    ("method", "fields", "version"),
    [
        ("HEAD", "", "1.1"),
        ("POST", "", "1.1"),
        ("GET", "Range: bytes=0-0\r\n", "1.1"),
        ("GET", 'If-None-Match: "x"\r\n', "1.1"),
        ("GET", "Connection: close\r\n", "1.1"),
        ("GET", "Content-Length: 0\r\n", "1.1"),
        ("GET", "", "1.0"),
    ],
)
def test_other_requests_reach_the_application(run: Run, method: str, fields: str, version: str) -> None:
    async def scenario() -> None:
        async with serving() as front:
            client = await front.connect()
            await client.get(PART)
            client.ask(PART, method=method, fields=fields, version=version)
            assert (await client.answer(has_body=method != "HEAD"))[1]["x-call"] == "2"

    run(scenario)


def test_nobody_waits_for_a_growing_answer(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            clients = [await front.connect() for _ in range(3)]
            assert [(await client.get(GROWING))[0] for client in clients] == [200] * 3
            assert front.calls[GROWING] == 3

    run(scenario)


def test_a_client_that_reads_nothing_delays_nobody_and_is_cut_off(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            stuck, other = await front.connect(), await front.connect()
            stuck.pause()
            await other.get(PART)
            stuck.ask(BIG)
            await front.reached(BIG)
            assert len((await other.get(BIG))[2]) == BIG_BYTES
            late = await front.connect()
            late.pause()
            late.ask(BIG)
            assert len((await other.get(BIG))[2]) == BIG_BYTES
            while len(front.connections) > 1:
                await asyncio.sleep(0.005)
            assert front.calls[BIG] == 1

    run(scenario)


def test_clear_makes_the_application_answer_again(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            client = await front.connect()
            await client.get(PART)
            front.hot.clear()
            assert (await client.get(PART))[1]["x-call"] == "2"

    run(scenario)


def test_a_stop_answers_those_who_wait(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            first, other, idle = [await front.connect() for _ in range(3)]
            await idle.get(PART)
            first.ask(SLOW)
            await front.reached(SLOW)
            other.ask(SLOW)
            await front.waiting(SLOW, 1)
            front.server.should_exit = True
            assert await idle.closed()
            # It no longer waits for the other answer.
            await front.reached(SLOW, 2)
            front.release.set()
            assert [(await client.answer())[2] for client in (first, other)] == [SLOW.encode()] * 2
            assert await first.closed() and await other.closed()

    run(scenario)


def test_a_stop_lets_a_repeated_answer_end(run: Run) -> None:
    async def scenario() -> None:
        async with serving() as front:
            client, reader = await front.connect(), await front.connect()
            await client.get(BIG)
            reader.pause()
            reader.ask(BIG)
            while not front.served[BIG]:
                await asyncio.sleep(0.005)
            front.server.should_exit = True
            assert await client.closed()
            reader._reader._transport.resume_reading()  # type: ignore[attr-defined]
            assert len((await reader.answer())[2]) == BIG_BYTES
            assert await reader.closed()

    run(scenario)
