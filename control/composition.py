"""The composition root: opens every role in one process, on one exit stack.

The stack closes in reverse order: first ingest, so that no more publishers arrive; then the broadcasts, while the
origin still serves them; then the origin, and last the store. If a part's ``close`` fails, the others are still
closed. If the start fails, the parts that were opened are closed.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from cluster.claims import Node
from cluster.memory import MemoryState
from control.cache_purge import CachePurge
from control.config import Config
from control.config.urls import local_url, public_url
from control.datadir import DataDir, ServerInfo
from control.descriptors import Connections, raise_descriptor_limit, share
from control.drain import Drain
from control.headroom import Headroom, measure
from control.hooks.dispatcher import HookPlace
from control.hooks.on_publish import OnPublish
from control.hooks.running import serving_hooks
from control.http_limits import HttpConnections
from control.http_server import HttpServer
from control.keeping import Deletions, broadcasts_in_use, space_of
from control.listening import listen
from control.options import (
    broadcast_options,
    http_limits,
    ingest_options,
    keeping_policy,
    max_pixel_rate,
    publisher_options,
    recorder_options,
    slate_image,
    thumbnail_limits,
    tracing_options,
    wanted_connections,
)
from control.owner import warn_of_root
from control.reload import Settings
from control.store_options import s3_options
from control.token_file import TokenFile
from control.version import version
from control.ways_in import WaysIn
from ingest.server import IngestServer
from live.bus import Bus
from live.gauges import HeldCollector, LiveCollector
from media.peers import TrustedPeers
from origin.api import ApiServices
from origin.api.auth import Authenticator
from origin.api.cmcd import ReportIntake
from origin.app import OriginServices, create_app
from origin.delivery import Delivery
from origin.hot import HotAnswers
from origin.live import LiveWindows
from origin.playback import PlaybackGate, PlaybackSecret, PrivacyCache
from origin.qoe.gauges import QoeCollector
from origin.qoe.ladder import ladder_of
from origin.readiness import Readiness
from origin.traced_requests import TracedRequests
from storage.audit import AuditEntry, AuditLog, new_entry
from storage.backlog import Backlog
from storage.catalogue import Catalogue, StreamPurging
from storage.catalogue.api_tokens import ApiTokens
from storage.coalesce import CoalescingReader
from storage.copying import forget_copy
from storage.interface import ObjectStore, StorageError
from storage.journals import Journals
from storage.keeping import Keeper
from storage.keeping.deleted import DeletedBroadcasts
from storage.open import open_store
from storage.spool import Spool
from storage.watch import StoreWatch
from telemetry.loop_watchdog import LoopWatchdog
from telemetry.lost_lines import LostLinesCollector
from telemetry.metrics import Metrics
from telemetry.spool_gauges import SpoolCollector
from telemetry.tracing_options import open_export
from telemetry.usage_gauges import UsageCollector
from transcoder.client import Thumbnailer
from transcoder.errors import WorkerUnavailable
from transcoder.libraries import find_libraries
from worker.encoding.node import NodeEncoding
from worker.station import Station

if TYPE_CHECKING:
    from telemetry.tracing import Tracing

log = structlog.get_logger("control")

FIRST_STREAM = "live"
LOCAL_NODE = "local"
ROLES = ("ingest", "worker", "origin")
# Seconds that a shutdown waits for the remaining uploads. After that, they stay in the spool.
STORE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. ``rtmp`` and ``http`` are the URLs to use from this machine; ``rtmp_line`` and
    ``public_url`` are for other machines. ``first_stream`` is the one that the first run created, None if it was
    deleted; its key is None if the data directory does not have it. ``is_first_run``: this run created it.
    ``http_task`` ends early if the HTTP server fails."""

    rtmp: str
    http: str
    rtmp_line: str
    public_url: str
    first_stream: str | None
    first_key: str | None
    is_first_run: bool
    key_file: Path
    token_file: Path
    http_task: "asyncio.Task[None]"
    drain: Drain
    settings: Settings


@asynccontextmanager
async def serving(
    config: Config, *, load: Callable[[], Config] | None = None, lost_lines: Callable[[], int] = lambda: 0
) -> AsyncIterator[Server]:
    """Run all roles until the block ends. ``load`` reads the configuration again; ``lost_lines`` returns the number
    of lines that the log lacks. Raises HeadwaterError if one of the roles cannot start."""
    data = DataDir(config.data)
    data.create()
    allowed = _allowed_connections(config)
    settings = Settings(config, await asyncio.to_thread(slate_image, config), load)
    metrics = Metrics()
    metrics.set_versions(version=version())
    metrics.collect(LostLinesCollector(lost_lines))
    bus = Bus()
    async with AsyncExitStack() as stack:
        stack.enter_context(data.locked())
        data.warn_if_open()
        warn_of_root(config.directories)
        stack.callback(data.withdraw, os.getpid())

        # Before the store, so that the last uploads are in the traces.
        options = tracing_options(config)
        tracing: Tracing | None = None
        if options is not None:
            export = await asyncio.to_thread(open_export, options)
            stack.push_async_callback(export.close)
            tracing = export.tracing
        store = open_store(config.store_location, s3_options(config), fsync=config.store.fsync)
        stack.push_async_callback(store.close)
        catalogue = Catalogue(store)
        stack.push_async_callback(catalogue.close)
        audit = AuditLog(store, on_lost=metrics.audit_lost)
        stack.push_async_callback(audit.close)
        tokens = ApiTokens(store)
        stack.push_async_callback(tokens.close)
        await store.check()
        await forget_copy(store)
        spool = Spool(config.spool / "media", max_bytes=config.store.spool_size)
        stack.push_async_callback(spool.close)
        await spool.open()
        metrics.collect(SpoolCollector(spool))
        journals = Journals(config.spool / "journals")
        stack.push_async_callback(journals.close)
        first_stream, first_key, is_first_run = await _first_stream(catalogue, data)
        if is_first_run:
            audit.record(_server_entry("stream-create", first_stream))

        http_listener, http_address = listen(config.http.listen, "HTTP", "--http")
        stack.callback(http_listener.close)
        ways = WaysIn.open(config, on_certificate=lambda facts: metrics.set_certificate(facts.expires_at))
        stack.push_async_callback(ways.close)
        page_url = public_url(config, http_address)
        rtmp_line = ways.server_line

        cluster = MemoryState().join(Node(LOCAL_NODE, rtmp_line, ROLES, "", version()))
        stack.push_async_callback(cluster.close)
        thumbnailer = Thumbnailer(thumbnail_limits(config))
        encoding = NodeEncoding(on_shed=metrics.rung_shed)
        hook = OnPublish(
            lambda: settings.config.on_publish,
            catalogue,
            clock=time.time,
            on_outcome=metrics.on_publish,
            on_created=lambda stream: audit.record(_server_entry("stream-create", stream)),
            tracing=tracing,
        )
        stack.push_async_callback(hook.close)
        station = Station(
            bus=bus,
            cluster=cluster,
            store=store,
            catalogue=catalogue,
            thumbnailer=thumbnailer,
            metrics=metrics,
            recorder_options=lambda: recorder_options(settings.config),
            broadcast_options=lambda record: broadcast_options(settings.config, record),
            publisher_options=lambda record: publisher_options(settings.config, record, settings.image),
            store_timeout=STORE_TIMEOUT_S,
            backlog=Backlog(config.store.upload_buffer, spool),
            journals=journals,
            refuses_second=lambda: settings.config.rtmp.on_conflict == "refuse",
            encoding=encoding,
            hook=hook,
            tracing=tracing,
        )
        hooks = await stack.enter_async_context(
            serving_hooks(
                store,
                bus,
                HookPlace(data.server_id(), page_url),
                options=lambda: settings.config.hooks,
                metrics=metrics,
                tracing=tracing,
            )
        )
        watch = StoreWatch(store, station.restore, on_trouble=hooks.store_trouble)
        stack.push_async_callback(watch.close)
        await watch.start()
        windows = LiveWindows(bus, station.window_seed, on_gap=metrics.window_gap)
        stack.callback(windows.close)
        # Before viewers' first requests. The broadcasts are closed below: if this start fails, the next continues
        # them.
        await station.recover()
        reader = CoalescingReader(store)
        stack.push_async_callback(reader.close)
        deleted = DeletedBroadcasts(catalogue)
        stack.push_async_callback(deleted.close)
        purges = [
            CachePurge(url, config.cache.purge_method, public_url=page_url, on_done=metrics.cache_purged)
            for url in config.cache.purge_urls
        ]
        for purge in purges:
            stack.push_async_callback(purge.close)
        hot = HotAnswers(
            prefix=urlsplit(page_url).path,
            any_origin="*" in config.http.cors_origins,
            on_served=metrics.served,
        )
        keeper = Keeper(
            store,
            catalogue,
            policy=lambda: keeping_policy(settings.config),
            in_use=lambda: broadcasts_in_use(cluster, journals, spool),
            hold=station.holding,
            observer=Deletions(audit, metrics, time.time, lambda keys: _forget(reader, hot, purges, keys)),
            space=lambda: space_of(config.store_location),
            clock=time.time,
        )
        stack.push_async_callback(keeper.close)
        metrics.collect(UsageCollector(lambda: keeper.last_usage))
        privacy = PrivacyCache(catalogue.is_private)
        stack.push_async_callback(privacy.close)

        def privacy_changed(stream: str) -> None:
            privacy.forget(stream)
            hot.clear()

        stack.push_async_callback(thumbnailer.close)

        drain = Drain(
            station.drain, lambda: sum(1 for _ in station.statuses()), lambda: settings.config.rtmp.drain_grace
        )
        stack.push_async_callback(drain.close)
        readiness = Readiness(lambda: _not_ready(store), time.monotonic)
        stack.push_async_callback(readiness.close)
        room = Headroom(lambda: {**measure(config.directories), **ways.warnings(time.time())})
        stack.push_async_callback(room.close)
        playback = PlaybackSecret(store, time.time)
        token_file = TokenFile(data, on_replaced=lambda: audit.record(_server_entry("token-file-replace")))
        auth = Authenticator(token_file.token, tokens, audit, on_refused=metrics.api_refused)
        stack.callback(auth.close)
        reports = ReportIntake(
            enabled=lambda: settings.config.qoe.enabled,
            ladder=lambda stream: ladder_of(windows.newest(stream)),
            find=catalogue.find_stream,
            monotonic=time.monotonic,
        )
        stack.push_async_callback(reports.close)
        metrics.collect(QoeCollector(reports.figures, reports.outcomes, time.monotonic))
        services = OriginServices(
            api=ApiServices(
                cluster=cluster,
                catalogue=catalogue,
                auth=auth,
                audit=audit,
                rtmp_url=rtmp_line,
                public_url=page_url,
                drain=drain,
                hooks=hooks.manager,
                reports=reports,
                reload=settings.reload,
                warnings=lambda: room.warnings,
                keeper=keeper,
                playback_keys=playback.keys,
                clock=time.time,
                on_key=data.key_changed,
                on_privacy=privacy_changed,
            ),
            delivery=Delivery(
                windows,
                reader,
                time.time,
                is_deleted=deleted.includes,
                step=None if tracing is None else tracing.step,
            ),
            gate=PlaybackGate(
                playback.keys,
                privacy.get,
                clock=time.time,
                bucket_s=round(config.playback.bucket),
            ),
            on_served=metrics.served if tracing is None else tracing.noting(metrics.served),
            metrics=metrics.exposition,
            not_ready=readiness.reason,
            cors_origins=config.http.cors_origins,
            frame_ancestors=" ".join(config.http.frame_ancestors),
            version=version(),
        )
        trusted = config.http.trusted_proxies
        peers = TrustedPeers(trusted)
        connections = HttpConnections(
            http_limits(config, allowed), trusted=peers, on_refused=metrics.connection_refused
        )
        app = create_app(services)
        http_server = HttpServer(
            app,
            connections,
            hot,
            trusted_proxies=trusted,
            around=lambda inner: inner if tracing is None else TracedRequests(inner, tracing, peers),
        )
        http_task = await stack.enter_async_context(http_server.running(http_listener))
        stack.callback(app.state.close)

        stack.push_async_callback(station.close)
        keeper.start()
        metrics.collect(LiveCollector(station))
        metrics.collect(HeldCollector(windows))
        ingest = IngestServer(station, ingest_options(config, allowed), on_refused=metrics.publisher_refused)
        stack.push_async_callback(ingest.close)

        def reconfigure() -> None:
            encoding.budget.limit = max_pixel_rate(settings.config)
            encoding.refuses = settings.config.transcoder.on_budget == "refuse"
            ingest.reconfigure(ingest_options(settings.config, allowed))

        reconfigure()
        settings.on_changed = reconfigure
        await ways.start(ingest)
        stack.callback(LoopWatchdog(metrics.loop_lag).close)

        server = Server(
            rtmp=ways.local_url,
            http=local_url(http_address),
            rtmp_line=rtmp_line,
            public_url=page_url,
            first_stream=first_stream,
            first_key=first_key,
            is_first_run=is_first_run,
            key_file=data.key_file(FIRST_STREAM),
            token_file=data.token_file,
            http_task=http_task,
            drain=drain,
            settings=settings,
        )
        data.announce(ServerInfo(http=server.http, rtmp=server.rtmp, pid=os.getpid()))
        versions = asyncio.create_task(_find_versions(config, metrics))
        stack.callback(versions.cancel)
        yield server


async def _find_versions(config: Config, metrics: Metrics) -> None:
    try:
        libraries = await asyncio.to_thread(find_libraries, thumbnail_limits(config))
    except WorkerUnavailable as error:
        log.warning("the metric headwater_build_info is incomplete", reason=str(error))
        return
    metrics.set_versions(version=version(), pyav=libraries.pyav, ffmpeg=libraries.ffmpeg)


def _allowed_connections(config: Config) -> Connections:
    descriptors, wanted = raise_descriptor_limit(), wanted_connections(config)
    allowed = share(descriptors, wanted)
    if allowed != wanted:
        log.warning(
            "the limit of open files allows fewer connections than are configured (ulimit -n, LimitNOFILE)",
            open_files=descriptors,
            http=allowed.http,
            publishers=allowed.publishers,
        )
    return allowed


async def _first_stream(catalogue: Catalogue, data: DataDir) -> tuple[str | None, str | None, bool]:
    """The stream that the first run creates, None if it was deleted; and its key, None if the data directory has
    none that is valid; and whether this run created it."""
    streams = [record.stream for record in await catalogue.list_streams()]
    if not streams:
        try:
            _, created = await catalogue.create_stream(FIRST_STREAM, now=time.time())
        except StreamPurging:
            return None, None, False
        data.keep_stream_key(FIRST_STREAM, created)
        return FIRST_STREAM, created, True
    if FIRST_STREAM not in streams:
        return None, None, False
    kept = data.stream_key(FIRST_STREAM)
    record = await catalogue.find_by_key(kept) if kept is not None else None
    key = kept if record is not None and record.stream == FIRST_STREAM else None
    return FIRST_STREAM, key, False


def _forget(reader: CoalescingReader, hot: HotAnswers, purges: Sequence[CachePurge], keys: Sequence[str]) -> None:
    """``keys`` are those of deleted objects."""
    for purge in purges:
        purge.forget(keys)
    for key in keys:
        reader.forget(key)
    hot.clear()


def _server_entry(action: str, stream: str | None = None) -> AuditEntry:
    """A change that the server itself makes."""
    return new_entry(action, at=time.time(), stream=stream)


async def _not_ready(store: ObjectStore) -> str | None:
    try:
        await store.check()
    except StorageError as error:
        return str(error)
    return None
