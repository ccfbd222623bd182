"""The API as an application in memory, with a cluster of one node, a store in memory, and a manual clock."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI

from cluster.memory import MemoryCluster, MemoryState
from live.status import StreamStatus
from origin.api import ApiServices, api_router, install_problem_handlers
from origin.playback import PlaybackSecret
from storage.catalogue import Catalogue
from tests.lab.memory_store import MemoryStore
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import node

TOKEN = "open-sesame"
NOW = 1_795_257_665.0


@dataclass(slots=True)
class Api:
    """``http`` sends the operator's token, ``public`` does not."""

    http: httpx.AsyncClient
    public: httpx.AsyncClient
    cluster: MemoryCluster
    catalogue: Catalogue
    store: MemoryStore
    app: FastAPI
    now: float = NOW
    keys: list[tuple[str, str | None]] = field(default_factory=list)

    async def on_air(self, status: StreamStatus) -> FakeOwner:
        """Claim the stream for an owner with ``status``, which is live or waiting."""
        assert status.broadcast is not None
        owner = FakeOwner(status)
        await self.cluster.claim(status.stream, status.broadcast, owner)
        return owner

    async def off_air(self, stream: str) -> None:
        claim = await self.cluster.owner_of(stream)
        assert claim is not None
        await self.cluster.release(claim)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    cluster, store = MemoryState().join(node("a")), MemoryStore()
    catalogue = Catalogue(store)
    app = FastAPI(title="Headwater", version="9.9.9")
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    base_url = "http://origin"
    async with (
        httpx.AsyncClient(
            transport=transport, base_url=f"{base_url}/api/v1", headers={"Authorization": f"Bearer {TOKEN}"}
        ) as http,
        httpx.AsyncClient(transport=transport, base_url=f"{base_url}/api/v1") as public,
    ):
        api = Api(http, public, cluster, catalogue, store, app)
        services = ApiServices(
            cluster=cluster,
            catalogue=catalogue,
            token=TOKEN,
            rtmp_url="rtmp://media.example.org:1935/live",
            public_url="https://media.example.org",
            playback_keys=PlaybackSecret(store, lambda: api.now).keys,
            clock=lambda: api.now,
            monotonic=lambda: api.now,
            on_key=lambda stream, key: api.keys.append((stream, key)),
        )
        install_problem_handlers(app)
        app.include_router(api_router(services))
        yield api
