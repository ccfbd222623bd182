import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from tests.lab.viewers.http_reader import Answer
from tests.lab.viewers.lane import Abandoned, Connection, HttpLane, LaneError
from tests.lab.waiting import run_until_idle

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Transport:
    def __init__(self) -> None:
        self.written = b""
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written += data

    def abort(self) -> None:
        self.aborted = True


class Network:
    """Connections for which the test acts as the server."""

    def __init__(self) -> None:
        self.opened: list[tuple[Connection, Transport]] = []
        self.refuses = False

    async def create_connection(
        self, factory: Callable[[], Connection], host: str, port: int
    ) -> tuple[Any, Connection]:
        if self.refuses:
            raise ConnectionRefusedError
        connection, transport = factory(), Transport()
        connection.connection_made(cast(asyncio.BaseTransport, transport))
        self.opened.append((connection, transport))
        return transport, connection

    def send(self, data: bytes) -> None:
        connection, _ = self.opened[-1]
        connection.get_buffer(len(data))[: len(data)] = data
        connection.buffer_updated(len(data))

    def lose(self) -> None:
        self.opened[-1][0].connection_lost(None)


@pytest.fixture
async def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network()
    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", network.create_connection)
    return network


async def start_request(lane: HttpLane) -> "asyncio.Task[Answer]":
    task = asyncio.create_task(lane.get("/a?b", keep=True))
    await run_until_idle()
    return task


async def test_a_connection_is_reused(network: Network) -> None:
    lane = HttpLane("h", 1)
    for _ in range(2):
        task = await start_request(lane)
        network.send(OK[:20])
        network.send(OK[20:])
        assert (await task).body == b"ok"
    [(_, transport)] = network.opened
    assert transport.written == 2 * b"GET /a?b HTTP/1.1\r\nHost: h:1\r\nAccept-Encoding: gzip\r\n\r\n"


async def test_it_reconnects_if_the_server_closes_the_connection(network: Network) -> None:
    lane = HttpLane("h", 1)
    task = await start_request(lane)
    network.send(CLOSING)
    await task
    assert network.opened[0][1].aborted
    task = await start_request(lane)
    network.send(OK)
    await task
    # The connection is lost when it is reused: the request is repeated on a new one.
    task = await start_request(lane)
    network.lose()
    await run_until_idle()
    network.send(OK)
    assert (await task).status == 200
    assert len(network.opened) == 3


@pytest.mark.parametrize("before", [b"", OK[:10]])
async def test_a_lost_answer_is_an_error(network: Network, before: bytes) -> None:
    task = await start_request(HttpLane("h", 1))
    if before:
        network.send(before)
    network.lose()
    with pytest.raises(LaneError, match="connection lost"):
        await task


async def test_a_refused_connection_is_an_error(network: Network) -> None:
    network.refuses = True
    with pytest.raises(LaneError, match="refused"):
        await HttpLane("h", 1).get("/", keep=False)


async def test_a_late_answer_is_a_timeout() -> None:
    transport = Transport()
    connection = Connection(asyncio.get_running_loop(), timeout=0)
    connection.connection_made(cast(asyncio.BaseTransport, transport))
    with pytest.raises(LaneError, match="timeout"):
        await connection.ask(b"GET", keep=False)
    assert transport.aborted


async def test_an_invalid_answer_is_an_error(network: Network) -> None:
    task = await start_request(HttpLane("h", 1))
    network.send(b"HTTP/0.9\r\n\r\n")
    with pytest.raises(LaneError, match="status line"):
        await task


async def test_a_request_can_be_abandoned(network: Network) -> None:
    lane = HttpLane("h", 1)
    task = await start_request(lane)
    lane.abandon()
    with pytest.raises(Abandoned):
        await task
    assert network.opened[0][1].aborted
    task = await start_request(lane)
    network.send(OK)
    assert (await task).status == 200
