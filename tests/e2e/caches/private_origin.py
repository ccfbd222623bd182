"""A real origin with one private broadcast, whose requests are counted."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from cluster.memory import MemoryState
from live.bus import Bus
from origin.answers import LiveMedia
from origin.api import ApiServices, install_api
from origin.cors import PlayerCors
from origin.delivery import Delivery
from origin.live import LiveWindows
from origin.playback import PlaybackGate, PlaybackSecret, ViewerToken, make_path_token, sign_viewer_token
from storage.catalogue import Catalogue
from storage.catalogue.records import StreamSettings
from storage.coalesce import CoalescingReader
from tests.lab.asgi import running_app
from tests.lab.keepers import make_keeper
from tests.lab.memory_store import MemoryStore
from tests.lab.operators import operators
from tests.unit.cluster.joining import node
from tests.unit.origin.fake_service import FakeDrain, FakeHooks, FakeReload
from tests.unit.origin.intakes import make_intake

BROADCAST = "20261121t104105z-ab12cd"
PREFIX = f"live/a/{BROADCAST}"
BUCKET_S = 3600
OBJECTS = {
    f"{PREFIX}/master.m3u8": b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv720p/media.m3u8\n",
    f"{PREFIX}/v720p/media.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n1.m4s\n#EXT-X-ENDLIST\n",
    f"{PREFIX}/v720p/init-0.mp4": b"init" * 100,
    f"{PREFIX}/v720p/1.m4s": b"segment" * 1000,
}


class PrivateOrigin:
    """An origin with one private broadcast in its store. ``now`` is its clock; ``requests`` counts paths."""

    def __init__(self) -> None:
        self.now = time.time()
        self.requests: Counter[str] = Counter()
        store = MemoryStore()
        catalogue = Catalogue(store)
        secret, cluster = PlaybackSecret(store, lambda: self.now), MemoryState().join(node("a"))
        asyncio.run(self._fill(store, catalogue))
        self.keys = asyncio.run(secret.keys())
        app = FastAPI()
        gate = PlaybackGate(secret.keys, catalogue.is_private, clock=lambda: self.now, bucket_s=BUCKET_S)
        delivery = Delivery(LiveWindows(Bus()), CoalescingReader(store), lambda: self.now)
        app.add_middleware(LiveMedia, delivery=delivery, gate=gate, on_served=lambda *served: None)
        app.add_middleware(PlayerCors, origins=("*",))
        auth, audit = operators(store, "t", lambda: self.now)
        install_api(
            app,
            ApiServices(
                cluster=cluster,
                catalogue=catalogue,
                auth=auth,
                audit=audit,
                rtmp_url="",
                public_url="",
                drain=FakeDrain(),
                hooks=FakeHooks(store, lambda: self.now),
                reports=make_intake(catalogue, lambda: self.now),
                reload=FakeReload(),
                keeper=make_keeper(store, catalogue, cluster, lambda: self.now),
                playback_keys=secret.keys,
                clock=lambda: self.now,
            ),
        )

        async def counting(scope: Scope, receive: Receive, send: Send) -> None:
            self.requests[scope["path"]] += 1
            await app(scope, receive, send)

        self.app: ASGIApp = counting

    async def _fill(self, store: MemoryStore, catalogue: Catalogue) -> None:
        await catalogue.create_stream("a", StreamSettings(private=True), now=self.now)
        for key, body in OBJECTS.items():
            await store.put(key, body)

    def viewer_token(self, address: str | None = None) -> str:
        return sign_viewer_token(ViewerToken("a", int(self.now) + 600, address), self.keys)

    def path_token(self, *, buckets_ago: int = 0) -> str:
        return make_path_token(self.keys, "a", now=self.now - buckets_ago * BUCKET_S, bucket_s=BUCKET_S)


@contextmanager
def private_origin() -> Iterator[tuple[PrivateOrigin, int]]:
    """The origin and its port."""
    origin = PrivateOrigin()
    with running_app(origin.app) as port:
        yield origin, port
