"""An in-process server for the commands: the real API on a cluster and a store in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI
from structlog.testing import capture_logs

from cluster.memory import MemoryState
from control.cli import main
from control.datadir import DataDir, ServerInfo
from live.status import StreamStatus
from origin.api import ApiServices, install_api
from origin.playback import PlaybackSecret
from storage.catalogue import Catalogue
from tests.lab.keepers import make_keeper
from tests.lab.memory_store import MemoryStore
from tests.lab.operators import operators
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import node
from tests.unit.origin.fake_service import FakeDrain, FakeHooks, FakeReload
from tests.unit.origin.intakes import make_intake

NOW = 1_795_257_665.0


class FakeServer(httpx.BaseTransport):
    """``run`` runs a command against it. Like a real server, it announces itself in the data directory."""

    def __init__(self, data: Path) -> None:
        self.directory = DataDir(data)
        self.directory.create()
        self.directory.announce(ServerInfo(http="http://127.0.0.1:8080", rtmp="rtmp://127.0.0.1:1935/live", pid=1))
        self.cluster = MemoryState().join(node("a"))
        self.store = MemoryStore()
        self.catalogue = Catalogue(self.store)
        self.drain = FakeDrain()
        self.reload = FakeReload()
        self.hooks = FakeHooks(self.store, lambda: NOW)
        self.reports = make_intake(self.catalogue, lambda: NOW)
        self.urls: list[str] = []
        self.directory.api_token()

    def run(self, *arguments: str) -> int:
        return main(arguments, transport=self)

    def create(self, *streams: str) -> None:
        for stream in streams:
            asyncio.run(self.catalogue.create_stream(stream, now=NOW))

    def on_air(self, status: StreamStatus) -> FakeOwner:
        """Make a stream live or waiting."""
        assert status.broadcast is not None
        owner = FakeOwner(status)
        asyncio.run(self.cluster.claim(status.stream, status.broadcast, owner))
        return owner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))

        async def ask() -> httpx.Response:
            async with self._app() as app, httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
                return await client.request(
                    request.method, request.url, headers=request.headers, content=request.read()
                )

        with capture_logs():
            answer = asyncio.run(ask())
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @asynccontextmanager
    async def _app(self) -> AsyncIterator[FastAPI]:
        """One for each request, because each has an event loop of its own."""
        auth, audit = operators(self.store, self.directory.api_token(), lambda: NOW)
        services = ApiServices(
            cluster=self.cluster,
            catalogue=self.catalogue,
            auth=auth,
            audit=audit,
            rtmp_url="rtmp://media.example.org:1935/live",
            public_url="https://media.example.org",
            drain=self.drain,
            hooks=self.hooks,
            reports=self.reports,
            reload=self.reload,
            keeper=make_keeper(self.store, self.catalogue, self.cluster, lambda: NOW),
            playback_keys=PlaybackSecret(self.store, lambda: NOW).keys,
            clock=lambda: NOW,
        )
        app = FastAPI()
        install_api(app, services)
        yield app
        auth.close()
        await auth.tokens.close()
        await audit.close()
