"""The API as an application in memory, with a cluster of one node, a store in memory, and a manual clock."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI

from cluster.memory import MemoryCluster, MemoryState
from live.status import StreamStatus
from origin.api import ApiServices, install_api
from origin.api.auth import Authenticator
from origin.api.cmcd import ReportIntake
from origin.api.server_events import ServerEvents
from origin.playback import PlaybackSecret
from origin.qoe.ladder import Ladder
from storage.audit import AuditLog
from storage.catalogue import Catalogue
from tests.lab.keepers import Deletions, make_keeper
from tests.lab.memory_store import MemoryStore
from tests.lab.operators import operators
from tests.unit.cluster.fake_owner import FakeOwner
from tests.unit.cluster.joining import node
from tests.unit.origin.fake_service import FakeDrain, FakeHooks, FakeReload
from tests.unit.origin.intakes import make_intake

TOKEN = "open-sesame"
NOW = 1_795_257_665.0


@dataclass(slots=True)
class Api:
    """``http`` sends the operator's token, ``public`` does not. ``ladders`` are those of streams that are live
    here."""

    http: httpx.AsyncClient
    public: httpx.AsyncClient
    cluster: MemoryCluster
    catalogue: Catalogue
    store: MemoryStore
    app: FastAPI
    auth: Authenticator = field(init=False)
    events: ServerEvents = field(init=False)
    audit: AuditLog = field(init=False)
    hooks: FakeHooks = field(init=False)
    now: float = NOW
    keys: list[tuple[str, str | None]] = field(default_factory=list)
    drain: FakeDrain = field(default_factory=FakeDrain)
    reload: FakeReload = field(default_factory=FakeReload)
    deletions: Deletions = field(default_factory=Deletions)
    reports: ReportIntake = field(init=False)
    ladders: dict[str, Ladder] = field(default_factory=dict)
    reporting: bool = True

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
    catalogue = Catalogue(store, timeout_s=0.1)
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
        api.auth, api.audit = operators(store, TOKEN, lambda: api.now)
        api.hooks = FakeHooks(store, lambda: api.now)
        api.reports = make_intake(
            catalogue, lambda: api.now, ladder=lambda stream: api.ladders.get(stream), enabled=lambda: api.reporting
        )
        services = ApiServices(
            cluster=cluster,
            catalogue=catalogue,
            auth=api.auth,
            audit=api.audit,
            rtmp_url="rtmp://media.example.org:1935/live",
            public_url="https://media.example.org",
            drain=api.drain,
            hooks=api.hooks,
            reports=api.reports,
            reload=api.reload,
            keeper=make_keeper(store, catalogue, cluster, lambda: api.now, deletions=api.deletions),
            playback_keys=PlaybackSecret(store, lambda: api.now).keys,
            clock=lambda: api.now,
            monotonic=lambda: api.now,
            on_key=lambda stream, key: api.keys.append((stream, key)),
        )
        api.events = install_api(app, services)
        yield api
        api.auth.close()
        await api.auth.tokens.close()
        await api.reports.close()
        await api.audit.close()
