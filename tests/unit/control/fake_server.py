"""An in-process server for the commands: the real API on a cluster and a store in memory."""

import asyncio
from pathlib import Path

import httpx
from fastapi import FastAPI

from cluster.memory import MemoryState
from control.cli import main
from control.datadir import DataDir, ServerInfo
from live.status import StreamStatus
from origin.api import ApiServices, api_router, install_problem_handlers
from origin.playback import PlaybackSecret
from storage.catalogue import Catalogue
from tests.lab.memory_store import MemoryStore
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import node

NOW = 1_795_257_665.0


class FakeServer(httpx.BaseTransport):
    """``run`` runs a command against it. Like a real server, it announces itself in the data directory."""

    def __init__(self, data: Path) -> None:
        self.directory = DataDir(data)
        self.directory.create()
        self.directory.announce(ServerInfo(http="http://127.0.0.1:8080", rtmp="rtmp://127.0.0.1:1935/live", pid=1))
        self.cluster = MemoryState().join(node("a"))
        store = MemoryStore()
        self.catalogue = Catalogue(store)
        self.urls: list[str] = []
        self._app = FastAPI()
        services = ApiServices(
            cluster=self.cluster,
            catalogue=self.catalogue,
            token=self.directory.api_token(),
            rtmp_url="rtmp://media.example.org:1935/live",
            public_url="https://media.example.org",
            playback_keys=PlaybackSecret(store, lambda: NOW).keys,
            clock=lambda: NOW,
        )
        install_problem_handlers(self._app)
        self._app.include_router(api_router(services))

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
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app)) as client:
                return await client.request(
                    request.method, request.url, headers=request.headers, content=request.read()
                )

        answer = asyncio.run(ask())
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
