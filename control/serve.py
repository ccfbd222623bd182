"""The composition root: every role in one process tree, from configuration to a clean end."""

import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

import structlog
import uvicorn
import uvloop

from control.config import Address, Config
from control.config.urls import local_url, public_url, rtmp_url
from control.datadir import DataDir, ServerInfo
from control.errors import ControlError
from control.options import (
    broadcast_options,
    ingest_options,
    recorder_options,
    s3_options,
    transcode_options,
)
from control.version import version
from ingest.server import IngestServer
from live.bus import MemoryBus
from live.gauges import LiveCollector
from live.status import StreamStatus
from origin.api import ApiServices
from origin.app import OriginServices, create_app
from origin.delivery import Delivery
from origin.live import LiveWindows
from origin.playback import PlaybackGate, PlaybackSecret, PrivateStreams
from storage.catalogue import Catalogue
from storage.coalesce import CoalescingReader
from storage.interface import ObjectStore, StorageError
from storage.open import open_store
from telemetry.logs import set_up_logs
from telemetry.metrics import Metrics
from transcoder.client import Thumbnailer
from transcoder.options import Encoder, check_encoder
from worker.station import Station

log = structlog.get_logger("serve")

FIRST_STREAM = "live"
# How long the end of the server waits for the store to take what is left.
STORE_TIMEOUT_S = 20.0
BACKLOG = 1024


class HttpListenFailed(ControlError):
    """A port cannot be opened; the text says which and why."""

    code = "listen-failed"


def check(config: Config) -> None:
    """Prove the store and the encoder without serving. Raises HeadwaterError."""
    check_encoder(transcode_options(config))
    asyncio.run(_check_store(config))


def run(config: Config, *, json_output: bool, on_ready: Callable[[], None] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code. Raises HeadwaterError where it cannot start."""
    set_up_logs(config.log.format, config.log.level)
    if transcode_options(config).encoder is not Encoder.LIBX264:
        check_encoder(transcode_options(config))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve_until_told(config, json_output=json_output, on_ready=on_ready))


async def _serve_until_told(config: Config, *, json_output: bool, on_ready: Callable[[], None] | None) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(config) as server:
        server.print_ready(json_output=json_output)
        tune_gc()
        if on_ready is not None:
            on_ready()
        ended = asyncio.create_task(server.http_ended())
        told = asyncio.create_task(stop.wait())
        await asyncio.wait((ended, told), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        return 0 if stop.is_set() else 1


def tune_gc() -> None:
    """What the start made stays for good, and media are freed by reference: cycles are rare, and looking for them
    among hundreds of streams' frames every 700 objects would cost more than the frames."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@contextlib.asynccontextmanager
async def serving(config: Config) -> AsyncIterator["Server"]:
    """A running server. Leaving it ends broadcasts first, then the origin that may still be asked for them."""
    server = Server(config)
    try:
        await server.start()
        yield server
    finally:
        await server.close()


class Server:
    """All roles, wired. ``rtmp`` and ``http`` are the URLs to use from this machine once started."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._data = DataDir(config.data)
        self._data.create()
        self._metrics = Metrics()
        self._bus = MemoryBus()
        self._store: ObjectStore = open_store(config.store_location, s3_options(config), fsync=config.store.fsync)
        self._catalogue = Catalogue(self._store)
        self._playback = PlaybackSecret(self._store, time.time)
        self._windows = LiveWindows(self._bus)
        self._reader = CoalescingReader(self._store)
        self._thumbnailer = Thumbnailer()
        self._station: Station | None = None
        self._ingest: IngestServer | None = None
        self._http_socket: socket.socket | None = None
        self._http: QuietServer | None = None
        self._http_task: asyncio.Task[None] | None = None
        self._rtmp_line = ""
        self._first_key: str | None = None
        self.rtmp = ""
        self.http = ""

    async def start(self) -> None:
        config = self._config
        await self._store.check()
        self._first_key = await self._first_stream()
        self._http_socket, http_address = listen(config.http.listen)
        station = self._station = Station(
            bus=self._bus,
            store=self._store,
            catalogue=self._catalogue,
            thumbnailer=self._thumbnailer,
            metrics=self._metrics,
            recorder_options=recorder_options(config, public_url(config, http_address)),
            broadcast_options=lambda record: broadcast_options(config, record),
            reconnect_window=config.rtmp.reconnect_window,
            store_timeout=STORE_TIMEOUT_S,
        )
        self._metrics.collect(LiveCollector(self))
        self._ingest = IngestServer(station, ingest_options(config), on_refused=self._metrics.publisher_refused)
        host, port = await self._ingest.start(config.rtmp.listen.host, config.rtmp.listen.port)
        rtmp_address = Address(host, port)
        self._rtmp_line = rtmp_url(config, rtmp_address)
        self.rtmp = local_url(rtmp_address).replace("http://", "rtmp://", 1) + f"/{config.rtmp.app}"
        self.http = local_url(http_address)
        self._http = QuietServer(self._uvicorn_config(public_url(config, http_address)))
        self._http_task = asyncio.create_task(self._http.serve(sockets=[self._http_socket]))
        await self._http.wait_started()
        self._data.announce(ServerInfo(http=self.http, rtmp=self.rtmp, pid=os.getpid()))

    def print_ready(self, *, json_output: bool) -> None:
        """The ready line on standard output, in a form to type into OBS."""
        if json_output:
            print(json.dumps({"event": "ready", "rtmp": self.rtmp, "http": self.http}), flush=True)
            return
        config = self._config
        page = public_url(config, Address.parse(self.http.removeprefix("http://")))
        if config.http.public_url is None and config.http.listen.is_wildcard:
            page = public_url(config, Address(config.http.listen.host, int(self.http.rpartition(":")[2])))
        key = self._first_key or "(kept by the first run; `headwater rotate-key live` makes a new one)"
        lines = [
            "",
            f"Headwater {version()} is ready.",
            "",
            "  In OBS: Settings, Stream, Service: Custom…",
            f"    Server      {self._rtmp_line}",
            f"    Stream Key  {key}",
            "",
            f"  Watch       {page}/watch/{FIRST_STREAM}",
            f"  Dashboard   {page}/   (token: {self._data.path / 'api-token'})",
            "",
        ]
        print("\n".join(lines), flush=True)

    async def http_ended(self) -> None:
        assert self._http_task is not None
        await self._http_task

    async def close(self) -> None:
        """Also after a start that failed half way."""
        if self._ingest is not None:
            await self._ingest.close()
        if self._station is not None:
            await self._station.close()
        if self._http is not None and self._http_task is not None:
            self._http.should_exit = True
            await self._http_task
        if self._http_socket is not None:
            self._http_socket.close()
        await self._thumbnailer.close()
        self._windows.close()
        await self._store.close()
        self._data.withdraw(os.getpid())

    # What the metrics read at each scrape (LiveView).

    def statuses(self) -> Iterable[StreamStatus]:
        for _, status in self._bus.state.items("stream."):
            assert isinstance(status, StreamStatus)
            yield status

    def uploads(self) -> Iterable[tuple[str, int, float]]:
        return self._station.uploads() if self._station is not None else ()

    async def _first_stream(self) -> str | None:
        """The key of the stream that the first run makes, kept in the data directory."""
        if not await self._catalogue.list_streams():
            _, key = await self._catalogue.create_stream(FIRST_STREAM, now=time.time())
            self._data.keep_stream_key(FIRST_STREAM, key)
        return self._data.stream_key(FIRST_STREAM)

    async def _not_ready(self) -> str | None:
        try:
            await self._store.check()
        except StorageError as error:
            return str(error)
        return None

    def _uvicorn_config(self, url: str) -> uvicorn.Config:
        app = create_app(
            OriginServices(
                api=ApiServices(
                    bus=self._bus,
                    catalogue=self._catalogue,
                    token=self._data.api_token(),
                    rtmp_url=self._rtmp_line,
                    public_url=url,
                    playback_keys=self._playback.keys,
                    clock=time.time,
                    on_key=self._data.key_changed,
                ),
                delivery=Delivery(self._windows, self._reader, time.time),
                gate=PlaybackGate(
                    self._playback.keys,
                    PrivateStreams(self._catalogue.is_private).is_private,
                    clock=time.time,
                    bucket_s=round(self._config.playback.bucket),
                ),
                on_served=self._metrics.served,
                metrics=self._metrics.exposition,
                not_ready=self._not_ready,
                cors_origins=self._config.http.cors_origins,
                frame_ancestors=" ".join(self._config.http.frame_ancestors),
                version=version(),
            )
        )
        return uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            forwarded_allow_ips=list(self._config.http.trusted_proxies),
            timeout_graceful_shutdown=3,
            backlog=BACKLOG,
        )


class QuietServer(uvicorn.Server):
    """uvicorn inside somebody else's loop: signals are not its business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def wait_started(self) -> None:
        while not self.started and not self.should_exit:
            await asyncio.sleep(0.01)


def listen(address: Address) -> tuple[socket.socket, Address]:
    """A listening socket and where it really listens. Raises HttpListenFailed."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listener = socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise HttpListenFailed(
            f"cannot listen on {address} for HTTP: {error.strerror}; name another with --http"
        ) from error
    listener.setblocking(False)
    return listener, Address(*listener.getsockname()[:2])


async def _check_store(config: Config) -> None:
    store = open_store(config.store_location, s3_options(config), fsync=config.store.fsync)
    try:
        await store.check()
    finally:
        await store.close()


__all__ = ["Server", "check", "run", "serving"]
