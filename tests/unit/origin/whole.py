"""The whole origin as an application over a store in memory."""

from collections.abc import Callable

from fastapi import FastAPI

from cluster.interface import Cluster
from cluster.memory import MemoryState
from live.bus import Bus
from origin.api import ApiServices
from origin.app import OriginServices, create_app
from origin.delivery import Delivery
from origin.live import LiveWindows
from origin.playback import PlaybackGate, PlaybackSecret
from storage.catalogue import Catalogue
from storage.coalesce import CoalescingReader
from tests.lab.keepers import make_keeper
from tests.lab.memory_store import MemoryStore
from tests.lab.operators import operators
from tests.unit.cluster.joining import node
from tests.unit.origin.fake_service import FakeDrain, FakeHooks, FakeReload
from tests.unit.origin.intakes import make_intake

NOW = 1_795_257_665.0
TOKEN = "open-sesame"


async def never_unready() -> str | None:
    return None


def whole_origin(
    store: MemoryStore,
    *,
    public_url: str = "https://example.org",
    cluster: Cluster | None = None,
    monotonic: Callable[[], float] = lambda: NOW,
    on_served: Callable[[str, int, int], None] = lambda kind, status, size: None,
    drain: FakeDrain | None = None,
) -> FastAPI:
    """Its clock always shows NOW. ``monotonic`` is the clock by which wrong tokens and reports are
    throttled."""
    catalogue, secret = Catalogue(store), PlaybackSecret(store, lambda: NOW)
    cluster = cluster or MemoryState().join(node("a"))
    auth, audit = operators(store, TOKEN, lambda: NOW, monotonic=monotonic)
    return create_app(
        OriginServices(
            api=ApiServices(
                cluster=cluster,
                catalogue=catalogue,
                auth=auth,
                audit=audit,
                rtmp_url="rtmp://example.org/live",
                public_url=public_url,
                drain=drain or FakeDrain(),
                hooks=FakeHooks(store, lambda: NOW),
                reports=make_intake(catalogue, monotonic),
                reload=FakeReload(),
                keeper=make_keeper(store, catalogue, cluster, lambda: NOW),
                playback_keys=secret.keys,
                clock=lambda: NOW,
            ),
            delivery=Delivery(LiveWindows(Bus()), CoalescingReader(store), lambda: NOW),
            gate=PlaybackGate(secret.keys, catalogue.is_private, clock=lambda: NOW),
            on_served=on_served,
            metrics=lambda: (b"", "text/plain"),
            not_ready=never_unready,
            cors_origins=("*",),
            frame_ancestors="'self'",
            version="9.9.9",
        )
    )
