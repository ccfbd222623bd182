"""The complete server on loopback: what it opens at the start, and that it closes all of it."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest

from control.composition import FIRST_STREAM, Server, serving
from control.config import Address, Config
from control.config.model import HttpConfig, RtmpConfig
from control.datadir import DataDir, DataDirError, ServerInfo
from control.listening import ListenFailed
from live.status import StreamState
from origin import readiness
from storage.catalogue import Catalogue
from storage.directory import DirectoryStore
from tests.unit.ingest.wire import HANDSHAKE, ChunkWriter, command

HOST = "127.0.0.1"


def config(data: Path, *, rtmp_port: int = 0, http_port: int = 0) -> Config:
    return Config(
        data=data,
        rtmp=RtmpConfig(listen=Address(HOST, rtmp_port)),
        http=HttpConfig(listen=Address(HOST, http_port)),
    )


@contextmanager
def port_in_use() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as taken:
        yield taken.getsockname()[1]


def free_port() -> int:
    with port_in_use() as port:
        return port


def port_of(url: str) -> int:
    port = httpx.URL(url).port
    assert port is not None
    return port


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((HOST, port)) == 0


@asynccontextmanager
async def publishing(server: Server, key: str) -> AsyncIterator[None]:
    """A publisher that the server has accepted."""
    reader, writer = await asyncio.open_connection(HOST, port_of(server.rtmp))
    messages = (
        command("connect", 1.0, {"app": "live"}),
        command("createStream", 2.0),
        command("publish", 3.0, None, key, "live", on=1),
    )
    chunks = ChunkWriter()
    writer.write(HANDSHAKE + b"".join(chunks.message(3, message) for message in messages))
    await asyncio.wait_for(reader.readuntil(b"NetStream.Publish.Start"), 5)
    try:
        yield
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_server_is_announced_while_it_runs_and_its_ports_are_closed_after(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    async with serving(config(tmp_path)) as server:
        ports = port_of(server.rtmp), port_of(server.http)
        assert data.server() == ServerInfo(http=server.http, rtmp=server.rtmp, pid=os.getpid())
        assert server.rtmp == f"rtmp://{HOST}:{ports[0]}/live"
        assert all(map(is_open, ports))
    assert data.server() is None
    assert not any(map(is_open, ports))


async def test_the_key_of_the_first_stream_is_saved_for_later_runs(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        async with serving(config(tmp_path)):
            keys.append(DataDir(tmp_path).stream_key(FIRST_STREAM))
    first, second = keys
    assert first is not None and first == second
    record = await Catalogue(DirectoryStore(tmp_path / "store")).find_by_key(first)
    assert record is not None and record.stream == FIRST_STREAM


async def states(server: Server, data: Path) -> list[str]:
    """The states of all streams, from the API."""
    headers = {"Authorization": f"Bearer {DataDir(data).api_token()}"}
    async with httpx.AsyncClient(base_url=server.http, headers=headers) as client:
        answer = await client.get("/api/v1/streams")
    return [stream["state"] for stream in answer.json()]


async def test_a_stream_is_live_during_a_publication(tmp_path: Path) -> None:
    async with serving(config(tmp_path)) as server:
        assert await states(server, tmp_path) == [StreamState.IDLE]
        key = DataDir(tmp_path).stream_key(FIRST_STREAM)
        assert key is not None
        async with publishing(server, key):
            assert await states(server, tmp_path) == [StreamState.LIVE]


async def test_close_ends_a_broadcast_that_waits_for_its_publisher(tmp_path: Path) -> None:
    async with serving(config(tmp_path)) as server:
        key = DataDir(tmp_path).stream_key(FIRST_STREAM)
        assert key is not None
        async with publishing(server, key):
            pass
        async with asyncio.timeout(5):
            while await states(server, tmp_path) != [StreamState.WAITING]:
                pass
    (record,) = await Catalogue(DirectoryStore(tmp_path / "store")).list_broadcasts(FIRST_STREAM)
    assert record.ended_at is not None
    assert record.end_reason == "the server is shutting down"


async def test_a_server_whose_store_fails_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for age in ("REFRESH_S", "MAX_AGE_S"):
        monkeypatch.setattr(readiness, age, 0.0)
    async with serving(config(tmp_path)) as server, httpx.AsyncClient(base_url=server.http) as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"ready": True, "draining": False})
        shutil.rmtree(tmp_path / "store")
        (tmp_path / "store").write_text("a file where the store was")
        broken = await client.get("/readyz")
        assert (broken.status_code, broken.json()) == (503, {"ready": False, "draining": False})
        token = {"Authorization": f"Bearer {DataDir(tmp_path).api_token()}"}
        assert "store" in (await client.get("/readyz", headers=token)).json()["reason"]
        wrong = await client.get("/readyz", headers={"Authorization": "Bearer no"})
        assert "reason" not in wrong.json()


async def test_an_http_port_in_use_is_reported(tmp_path: Path) -> None:
    with port_in_use() as port, pytest.raises(ListenFailed) as failed:
        async with serving(config(tmp_path, http_port=port)):
            pass
    text = str(failed.value)
    assert text.startswith(f"cannot listen on {HOST}:{port} for HTTP: Address already in use")
    assert text.endswith("; choose another address with --http")


async def test_an_rtmp_port_in_use_is_reported_and_the_http_port_closed(tmp_path: Path) -> None:
    http_port = free_port()
    with port_in_use() as port, pytest.raises(ListenFailed) as failed:
        async with serving(config(tmp_path, rtmp_port=port, http_port=http_port)):
            pass
    assert str(failed.value).startswith(f"cannot listen on {HOST}:{port} for RTMP: Address already in use")
    assert not is_open(http_port)
    assert DataDir(tmp_path).server() is None


async def test_a_start_that_fails_at_its_last_step_closes_both_ports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []

    def announce(self: DataDir, server: ServerInfo) -> None:
        opened.extend((port_of(server.http), port_of(server.rtmp)))
        assert all(map(is_open, opened))
        raise DataDirError("server.json cannot be written: no space left on device")

    monkeypatch.setattr(DataDir, "announce", announce)
    with pytest.raises(DataDirError):
        async with serving(config(tmp_path)):
            pass
    assert len(opened) == 2 and not any(map(is_open, opened))


async def test_a_server_starts_while_the_first_stream_is_purged(tmp_path: Path) -> None:
    async with serving(config(tmp_path)) as server:
        assert server.first_stream == FIRST_STREAM
    store = DirectoryStore(tmp_path / "store")
    catalogue = Catalogue(store)
    await catalogue.begin_purge(FIRST_STREAM, now=1.0)
    await catalogue.delete_stream(FIRST_STREAM)
    async with serving(config(tmp_path)) as server:
        assert server.first_stream is None
        async with asyncio.timeout(10):
            while await catalogue.purges():
                await asyncio.sleep(0.01)
    await store.close()
