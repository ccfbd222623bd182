"""Who may hold a connection to the RTMP port before the key, and whose address counts, with real sockets."""

import asyncio
from dataclasses import replace

import pytest

from ingest import IngestOptions
from ingest.proxy_protocol import PROXY, TCP6
from tests.interop.test_rtmp_port import DEFAULT, TIMEOUT_S, Client, Port, listening, publishing
from tests.unit.ingest.test_proxy_protocol import addresses, version_2

V1 = b"PROXY TCP4 203.0.113.7 10.0.0.1 51000 1935\r\n"
V2 = version_2(PROXY, TCP6, addresses("2001:db8::7", 51000))
TRUSTING = replace(DEFAULT, trusted_proxies=("127.0.0.0/8",))


async def accepted(port: Port, first: bytes = b"") -> Client:
    client = await port.connect()
    client.send(first)
    client.request_publish()
    assert (await client.status())[0] == "NetStream.Publish.Start"
    return client


async def silent(port: Port, count: int) -> list[Client]:
    clients = [await port.connect() for _ in range(count)]
    async with asyncio.timeout(TIMEOUT_S):
        while len(port.server._shared.publishers) + len(port.refused) < count:
            await asyncio.sleep(0.01)
    return clients


@pytest.mark.parametrize(
    "options",
    [replace(DEFAULT, max_pending=8), replace(DEFAULT, max_pending_per_address=8)],
    ids=["all", "of one address"],
)
async def test_connections_without_a_key_do_not_keep_out_the_right_key(options: IngestOptions) -> None:
    async with listening(options) as port:
        holders = await silent(port, 100)
        assert len(port.server._shared.publishers) <= 8
        assert port.refused == ["connection-evicted"] * 92
        client = await accepted(port)
        # The publisher has left the pool, so that it cannot be evicted.
        holders += await silent(port, 20)
        assert not port.handler.publications[0].ended.is_set()
        for each in (client, *holders):
            await each.close()


async def test_publishers_beyond_the_limit_are_refused_in_words() -> None:
    async with listening(replace(DEFAULT, max_publishers=2)) as port:
        clients = [await publishing(port) for _ in range(2)]
        third = await port.connect()
        third.request_publish()
        assert (await third.status())[1] == "The server has 2 publishers, which is its limit"
        await third.closed()
        await third.close()
        assert port.refused == ["too-many-publishers"]
        await clients[0][0].close()
        async with asyncio.timeout(TIMEOUT_S):
            await clients[0][1].ended.wait()
        await (await accepted(port)).close()
        await clients[1][0].close()


@pytest.mark.parametrize(("header", "address"), [(V1, "203.0.113.7:51000"), (V2, "[2001:db8::7]:51000")])
async def test_a_trusted_balancer_hides_no_address(header: bytes, address: str) -> None:
    async with listening(TRUSTING) as port:
        client = await accepted(port, header)
        assert port.handler.requests[0].address == address
        assert port.handler.links[0].address == address
        await client.close()


async def test_limits_apply_to_the_address_behind_a_balancer() -> None:
    options = replace(TRUSTING, max_pending_per_address=2)
    async with listening(options) as port:
        holders = []
        for _ in range(5):
            holders.append(await port.connect())
            holders[-1].send(V1)
        async with asyncio.timeout(TIMEOUT_S):
            while port.refused != ["connection-evicted"] * 3:
                await asyncio.sleep(0.01)
        await (await accepted(port, V2)).close()
        for each in holders:
            await each.close()


@pytest.mark.parametrize("header", [V1, V2])
async def test_a_header_from_elsewhere_is_refused_in_words(header: bytes) -> None:
    async with listening() as port:
        client = await port.connect()
        client.send(header)
        client.request_publish()
        assert (await client.status())[
            1
        ] == "127.0.0.1 sends the PROXY protocol but is not in [rtmp] trusted_proxies"
        await client.closed()
        await client.close()
        assert port.refused == ["proxy-not-trusted"]
        assert not port.handler.requests


async def test_a_balancer_without_the_header_is_refused_in_words() -> None:
    async with listening(TRUSTING) as port:
        client = await port.connect()
        client.request_publish()
        assert "does not send the PROXY protocol" in (await client.status())[1]
        await client.closed()
        await client.close()
        assert port.refused == ["proxy-header-missing"]


async def test_a_malformed_header_closes_the_connection() -> None:
    async with listening(TRUSTING) as port:
        client = await port.connect()
        client.send(b"PROXY TCP4 nonsense\r\n")
        await client.closed()
        await client.close()
        assert port.refused == ["bad-proxy-header"]
