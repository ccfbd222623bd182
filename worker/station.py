"""Every stream on this machine that is on air, and the door publishers come through."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator

import structlog

from ingest.errors import PublishRefused
from ingest.interface import PublisherLink, PublishRequest
from live.bus_interface import Bus
from media.names import new_broadcast_id
from storage.catalogue import Catalogue
from storage.catalogue.records import StreamRecord
from storage.interface import ObjectStore, StorageError
from telemetry.metrics import Metrics
from transcoder.client import Thumbnailer
from worker.broadcast import Broadcast
from worker.broadcast_options import BroadcastOptions
from worker.channel import Channel
from worker.clock import SYSTEM_CLOCK, Clock
from worker.publisher_session import PublisherSession
from worker.recorder import Recorder, RecorderOptions
from worker.thumbnail_cache import ThumbnailCache

log = structlog.get_logger("live")


class Station:
    """Implements :class:`ingest.interface.IngestHandler`."""

    def __init__(
        self,
        *,
        bus: Bus,
        store: ObjectStore,
        catalogue: Catalogue,
        thumbnailer: Thumbnailer,
        metrics: Metrics,
        recorder_options: RecorderOptions,
        broadcast_options: Callable[[StreamRecord], BroadcastOptions],
        reconnect_window: float,
        store_timeout: float,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._bus = bus
        self._store = store
        self._catalogue = catalogue
        self._thumbnailer = thumbnailer
        self._metrics = metrics
        self._recorder_options = recorder_options
        self._broadcast_options = broadcast_options
        self._reconnect_window = reconnect_window
        self._store_timeout = store_timeout
        self._clock = clock
        self._channels: dict[str, Channel] = {}
        self._ending: set[Channel] = set()
        self._sparse: set[str] = set()

    def uploads(self) -> Iterator[tuple[str, int, float]]:
        """Stream, bytes waiting for the store and the age of the oldest, of every broadcast that has any."""
        now = time.monotonic()
        for channel in (*self._channels.values(), *self._ending):
            yield channel.stream, channel.recorder.pending_bytes, channel.recorder.oldest_upload_s(now)

    async def authorize(self, request: PublishRequest, link: PublisherLink) -> PublisherSession:
        try:
            record = await self._catalogue.find_by_key(request.key)
        except StorageError as error:
            log.error("stream keys cannot be looked up", error=str(error))
            raise PublishRefused("the server cannot reach its store to check the stream key; try again") from error
        if record is None:
            raise PublishRefused("unknown stream key: copy it again from `headwater create` or rotate-key")
        left = (record.banned_until or 0) - self._clock.unix()
        if left > 0:
            raise PublishRefused(f"the operator has banned this stream for another {round(left)} s")
        channel = self._channels.get(record.stream)
        if channel is None:
            channel = self._open(record)
        return channel.attach(request, link)

    async def close(self) -> None:
        """End every broadcast and wait until the store has them."""
        for channel in tuple(self._channels.values()):
            channel.close("the server is shutting down")
        await asyncio.gather(*(channel.closed() for channel in tuple(self._ending)))

    def _open(self, record: StreamRecord) -> Channel:
        now = self._clock.unix()
        stream, broadcast_id = record.stream, new_broadcast_id(now, secrets.token_bytes(3))
        for old in self._ending:
            if old.stream == stream:
                old.recorder.supersede()
        metrics = self._metrics.of_stream(stream)
        recorder = Recorder(
            self._recorder_options.new_ledger(
                stream, broadcast_id, round(now * 1000), sparse=stream in self._sparse
            ),
            bus=self._bus,
            store=self._store,
            observer=metrics,
            clock=self._clock.unix,
            options=self._recorder_options,
        )

        thumbnails = ThumbnailCache(self._thumbnailer)
        broadcast = Broadcast(
            recorder,
            self._broadcast_options(record),
            clock=self._clock.monotonic,
            unix_ns=self._clock.unix_ns,
            on_keyframe=thumbnails.on_keyframe,
        )
        channel = Channel(
            broadcast,
            recorder,
            bus=self._bus,
            catalogue=self._catalogue,
            metrics=metrics,
            thumbnails=thumbnails,
            reconnect_window=self._reconnect_window,
            store_timeout=self._store_timeout,
            on_closed=self._on_closed,
            clock=self._clock,
        )
        self._channels[stream] = channel
        return channel

    def _on_closed(self, channel: Channel) -> None:
        if self._channels.get(channel.stream) is channel:
            del self._channels[channel.stream]
        # What this broadcast's keyframes were like, the stream's next one starts with.
        if channel.broadcast.sparse and channel.broadcast.keyframes_are_sparse():
            self._sparse.add(channel.stream)
        else:
            self._sparse.discard(channel.stream)
        self._ending.add(channel)
        task = asyncio.create_task(channel.closed())
        task.add_done_callback(lambda _: self._ending.discard(channel))
