"""The composition root: opens every role in one process, on one exit stack.

The stack closes in reverse order: first ingest, so that no more publishers arrive; then the broadcasts, while the
origin still serves them; then the origin, and last the store. If a part's ``close`` fails, the others are still
closed. If the start fails, the parts that were opened are closed.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster.claims import Node
from cluster.memory import MemoryState
from control.config import Config
from control.config.urls import local_url, public_url, rtmp_url
from control.datadir import DataDir, ServerInfo
from control.http_server import HttpServer
from control.listening import BACKLOG, listen
from control.options import broadcast_options, ingest_options, recorder_options, s3_options
from control.version import version
from ingest.server import IngestServer
from live.bus import Bus
from live.gauges import LiveCollector
from origin.api import ApiServices
from origin.app import OriginServices, create_app
from origin.delivery import Delivery
from origin.live import LiveWindows
from origin.playback import PlaybackGate, PlaybackSecret, PrivacyCache
from storage.catalogue import Catalogue
from storage.coalesce import CoalescingReader
from storage.interface import ObjectStore, StorageError
from storage.open import open_store
from telemetry.metrics import Metrics
from transcoder.client import Thumbnailer
from worker.station import Station

FIRST_STREAM = "live"
LOCAL_NODE = "local"
ROLES = ("ingest", "worker", "origin")
# Seconds that the end of a broadcast waits for the remaining uploads.
STORE_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. ``rtmp`` and ``http`` are the URLs to use from this machine; ``rtmp_line`` and
    ``public_url`` are for other machines. ``http_task`` ends early if the HTTP server fails."""

    rtmp: str
    http: str
    rtmp_line: str
    public_url: str
    first_key: str | None
    token_file: Path
    http_task: "asyncio.Task[None]"


@asynccontextmanager
async def serving(config: Config) -> AsyncIterator[Server]:
    """Run all roles until the block ends. Raises HeadwaterError if one of them cannot start."""
    data = DataDir(config.data)
    data.create()
    metrics = Metrics()
    bus = Bus()
    async with AsyncExitStack() as stack:
        stack.callback(data.withdraw, os.getpid())

        store = open_store(config.store_location, s3_options(config), fsync=config.store.fsync)
        stack.push_async_callback(store.close)
        catalogue = Catalogue(store)
        stack.push_async_callback(catalogue.close)
        await store.check()
        first_key = await _first_key(catalogue, data)

        http_listener, http_address = listen(config.http.listen, "HTTP")
        stack.callback(http_listener.close)
        rtmp_listener, rtmp_address = listen(config.rtmp.listen, "RTMP")
        stack.callback(rtmp_listener.close)
        page_url = public_url(config, http_address)
        rtmp_line = rtmp_url(config, rtmp_address)

        cluster = MemoryState().join(Node(LOCAL_NODE, rtmp_line, ROLES, "", version()))
        stack.push_async_callback(cluster.close)
        thumbnailer = Thumbnailer()
        station = Station(
            bus=bus,
            cluster=cluster,
            store=store,
            catalogue=catalogue,
            thumbnailer=thumbnailer,
            metrics=metrics,
            recorder_options=recorder_options(config),
            broadcast_options=lambda record: broadcast_options(config, record),
            reconnect_window=config.rtmp.reconnect_window,
            store_timeout=STORE_TIMEOUT_S,
        )
        windows = LiveWindows(bus, station.window_seed, on_gap=metrics.window_gap)
        stack.callback(windows.close)
        reader = CoalescingReader(store)
        stack.push_async_callback(reader.close)
        privacy = PrivacyCache(catalogue.is_private)
        stack.push_async_callback(privacy.close)
        stack.push_async_callback(thumbnailer.close)

        playback = PlaybackSecret(store, time.time)
        services = OriginServices(
            api=ApiServices(
                cluster=cluster,
                catalogue=catalogue,
                token=data.api_token(),
                rtmp_url=rtmp_line,
                public_url=page_url,
                playback_keys=playback.keys,
                clock=time.time,
                on_key=data.key_changed,
            ),
            delivery=Delivery(windows, reader, time.time),
            gate=PlaybackGate(
                playback.keys,
                privacy.get,
                clock=time.time,
                bucket_s=round(config.playback.bucket),
            ),
            on_served=metrics.served,
            metrics=metrics.exposition,
            not_ready=lambda: _not_ready(store),
            cors_origins=config.http.cors_origins,
            frame_ancestors=" ".join(config.http.frame_ancestors),
            version=version(),
        )
        http_server = HttpServer(create_app(services), trusted_proxies=config.http.trusted_proxies)
        http_task = await stack.enter_async_context(http_server.running(http_listener))

        stack.push_async_callback(station.close)
        metrics.collect(LiveCollector(station))
        ingest = IngestServer(station, ingest_options(config), on_refused=metrics.publisher_refused)
        stack.push_async_callback(ingest.close)
        await ingest.start(rtmp_listener, backlog=BACKLOG)

        server = Server(
            rtmp=local_url(rtmp_address).replace("http://", "rtmp://", 1) + f"/{config.rtmp.app}",
            http=local_url(http_address),
            rtmp_line=rtmp_line,
            public_url=page_url,
            first_key=first_key,
            token_file=data.token_file,
            http_task=http_task,
        )
        data.announce(ServerInfo(http=server.http, rtmp=server.rtmp, pid=os.getpid()))
        yield server


async def _first_key(catalogue: Catalogue, data: DataDir) -> str | None:
    """The key of the stream that the first run creates; None if the data directory does not keep it."""
    if not await catalogue.list_streams():
        _, key = await catalogue.create_stream(FIRST_STREAM, now=time.time())
        data.keep_stream_key(FIRST_STREAM, key)
    return data.stream_key(FIRST_STREAM)


async def _not_ready(store: ObjectStore) -> str | None:
    try:
        await store.check()
    except StorageError as error:
        return str(error)
    return None
