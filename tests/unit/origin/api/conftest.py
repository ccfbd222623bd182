"""The API as an application in memory: a bus, a catalogue on a store in a dict, a clock that stands still."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI

from live.bus import MemoryBus
from origin.api import ApiServices, api_router, install_problem_handlers
from origin.playback import PlaybackSecret
from storage.catalogue import Catalogue
from tests.memory_store import MemoryStore

TOKEN = "open-sesame"
NOW = 1_795_257_665.0


@dataclass(slots=True)
class Api:
    """``http`` asks as the operator does, ``public`` without the token."""

    http: httpx.AsyncClient
    public: httpx.AsyncClient
    bus: MemoryBus
    catalogue: Catalogue
    store: MemoryStore
    app: FastAPI
    now: float = NOW
    keys: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    bus, store = MemoryBus(), MemoryStore()
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
        api = Api(http, public, bus, catalogue, store, app)
        services = ApiServices(
            bus=bus,
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
