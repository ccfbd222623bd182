"""All roles on one exit stack: the order in which they close, and that a failure leaves nothing open."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from control import composition, ways_in
from control.composition import serving
from control.config import Address, Config
from control.datadir import DataDir, DataDirError, ServerInfo
from control.http_server import HttpServer
from control.listening import ListenFailed, listen
from control.ready import print_ready, ready_text
from ingest.server import IngestServer
from origin import readiness
from origin.app import OriginServices, create_app
from origin.live import LiveWindows
from storage.catalogue import Catalogue
from storage.coalesce import CoalescingReader
from storage.interface import StoreUnavailable
from tests.lab.memory_store import MemoryStore
from transcoder.client import Thumbnailer
from worker.station import Station

CLOSING = [
    "ingest",
    "station",
    "http server",
    "thumbnailer",
    "reader",
    "windows",
    "rtmp listener",
    "http listener",
    "store",
    "announcement",
]
# For each step of the start: what has to be closed if the step fails.
OPENED_BEFORE = {
    "store check": CLOSING[8:],
    "first stream": CLOSING[8:],
    "http listen": CLOSING[8:],
    "rtmp listen": CLOSING[7:],
    "http start": CLOSING[3:],
    "ingest start": CLOSING,
    "announce": CLOSING,
}


class Broken(Exception):
    """Raised by the part that a test makes fail."""


class FakeListener:
    def __init__(self, close: Callable[[], None]) -> None:
        self.close = close


class Roles:
    """The roles without sockets and child processes. ``closed`` lists the parts in closing order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.config = Config(data=folder, rtmp={"listen": "0.0.0.0:1935"})  # type: ignore[arg-type]
        self.data = DataDir(folder)
        self.store = MemoryStore()
        self.broken: set[str] = set()
        self.closed: list[str] = []
        replace = monkeypatch.setattr
        replace(composition, "open_store", lambda *_, **__: self.store)
        replace(composition, "listen", self._listen)
        replace(ways_in, "listen", self._listen)
        replace(HttpServer, "running", self._running)
        replace(IngestServer, "start", self._async_step("ingest start"))
        replace(self.store, "check", self._async_step("store check"))
        replace(Catalogue, "list_streams", self._async_step("first stream", Catalogue.list_streams))
        replace(DataDir, "announce", self._step("announce", DataDir.announce))
        replace(DataDir, "withdraw", self._step("announcement", DataDir.withdraw))
        replace(self.store, "close", self._async_step("store"))
        replace(LiveWindows, "close", self._step("windows", LiveWindows.close))
        replace(CoalescingReader, "close", self._async_step("reader"))
        replace(Thumbnailer, "close", self._async_step("thumbnailer"))
        replace(Station, "close", self._async_step("station", Station.close))
        replace(IngestServer, "close", self._async_step("ingest"))

    def _pass(self, part: str) -> None:
        if part in CLOSING:
            self.closed.append(part)
        if part in self.broken:
            raise Broken(part)

    def _step(self, part: str, inner: Callable[..., Any] = lambda *_: None) -> Callable[..., Any]:
        def step(*arguments: Any) -> Any:
            self._pass(part)
            return inner(*arguments)

        return step

    def _async_step(
        self, part: str, inner: Callable[..., Awaitable[Any]] | None = None
    ) -> Callable[..., Coroutine[Any, Any, Any]]:
        async def step(*arguments: Any, **_: Any) -> Any:
            self._pass(part)
            return None if inner is None else await inner(*arguments)

        return step

    def _listen(self, address: Address, protocol: str, option: str) -> tuple[FakeListener, Address]:
        part = protocol.lower()
        self._pass(f"{part} listen")
        return FakeListener(self._step(f"{part} listener")), Address("127.0.0.1", address.port)

    @asynccontextmanager
    async def _running(self, listener: FakeListener) -> AsyncIterator["asyncio.Task[None]"]:
        self._pass("http start")
        try:
            yield asyncio.create_task(asyncio.sleep(0))
        finally:
            self._pass("http server")


@pytest.fixture
def roles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Roles:
    return Roles(monkeypatch, tmp_path / "data")


async def test_publishers_end_first_and_the_store_closes_last(roles: Roles) -> None:
    async with serving(roles.config) as server:
        assert server.rtmp == "rtmp://127.0.0.1:1935/live"
        assert roles.data.server() == ServerInfo(http=server.http, rtmp=server.rtmp, pid=os.getpid())
        assert roles.closed == []
    assert roles.closed == CLOSING
    assert roles.data.server() is None


@pytest.mark.parametrize("part", CLOSING)
async def test_all_other_parts_close_if_one_fails_to_close(roles: Roles, part: str) -> None:
    roles.broken.add(part)
    with pytest.raises(Broken, match=part):
        async with serving(roles.config):
            pass
    assert roles.closed == CLOSING


@pytest.mark.parametrize("step", OPENED_BEFORE)
async def test_a_failed_start_closes_what_it_opened(roles: Roles, step: str) -> None:
    roles.broken.add(step)
    with pytest.raises(Broken, match=step):
        async with serving(roles.config):
            pytest.fail("the server started")
    assert roles.closed == OPENED_BEFORE[step]
    assert roles.data.server() is None


async def test_the_first_run_creates_a_stream_and_shows_its_key(
    roles: Roles, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(roles.config) as server:
        key = roles.data.stream_key("live")
        assert key is not None and server.is_first_run
        print_ready(server, sys.stdout.write, json_output=False)
        assert f"Stream Key  {key}" in capsys.readouterr().out
        assert f"{server.public_url}/watch/live" in ready_text(server, show_key=False)
        print_ready(server, sys.stdout.write, json_output=True)
    assert capsys.readouterr().out.splitlines()[-1] == (
        '{"event": "ready", "rtmp": "rtmp://127.0.0.1:1935/live", "http": "http://127.0.0.1:8080"}'
    )


async def test_a_later_run_shows_the_key_to_a_terminal_only(
    roles: Roles, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(roles.config):
        key = roles.data.stream_key("live") or ""
    async with serving(roles.config) as server:
        assert not server.is_first_run
        print_ready(server, sys.stdout.write, json_output=False)
        printed = capsys.readouterr().out
        assert key not in printed and str(roles.data.key_file("live")) in printed
        assert key in ready_text(server, show_key=True)


async def test_a_second_server_on_the_data_directory_is_refused_in_words(roles: Roles) -> None:
    async with serving(roles.config):
        with pytest.raises(DataDirError, match="another server runs with the data directory"):
            async with serving(roles.config):
                pytest.fail("the second server started")
        assert roles.data.server() is not None
    async with serving(roles.config):
        pass


async def test_the_banner_names_no_stream_and_no_key_that_does_not_exist(roles: Roles) -> None:
    async with serving(roles.config) as server:
        key = server.first_key
    catalogue = Catalogue(roles.store)
    await catalogue.create_stream("other", now=0.0)
    await catalogue.rotate_key("live", now=time.time())
    async with serving(roles.config) as server:
        assert server.first_key is None
        assert str(key) not in ready_text(server, show_key=True)
    await catalogue.delete_stream("live")
    async with serving(roles.config) as server:
        text = ready_text(server, show_key=True)
        assert "headwater create NAME" in text
        assert "live/" not in text and "/watch/live" not in text and str(key) not in text


async def test_readiness_follows_the_store(roles: Roles, monkeypatch: pytest.MonkeyPatch) -> None:
    services: list[OriginServices] = []

    def create(made: OriginServices) -> FastAPI:
        services.append(made)
        return create_app(made)

    monkeypatch.setattr(composition, "create_app", create)
    for age in ("REFRESH_S", "MAX_AGE_S"):
        monkeypatch.setattr(readiness, age, 0.0)
    async with serving(roles.config):
        assert await services[0].not_ready() is None

        async def fail() -> None:
            raise StoreUnavailable("the disk is full")

        monkeypatch.setattr(roles.store, "check", fail)
        assert await services[0].not_ready() == "the disk is full"


def test_a_port_in_use_is_named_with_the_option_that_changes_it() -> None:
    listener, address = listen(Address("127.0.0.1", 0), "RTMP", "--rtmp")
    with listener, pytest.raises(ListenFailed, match=f"127.0.0.1:{address.port} for RTMP.*--rtmp"):
        listen(address, "RTMP", "--rtmp")
