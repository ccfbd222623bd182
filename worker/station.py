"""Every stream that is on air on this node, and the admission of publishers."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from weakref import WeakValueDictionary

import structlog

from cluster.claims import Claim
from cluster.errors import AlreadyClaimed, ClusterError
from cluster.interface import Cluster
from ingest.errors import PublishRefused
from ingest.interface import PublisherLink, PublishRequest
from live.bus import Bus
from live.status import StreamStatus
from live.topics import BroadcastRef
from live.window_snapshot import WindowSnapshot
from media.names import new_broadcast_id
from storage.catalogue import Catalogue
from storage.catalogue.records import StreamRecord
from storage.interface import ObjectStore, StorageError
from telemetry.metrics import Metrics
from transcoder.client import Thumbnailer
from worker.broadcast import Broadcast
from worker.broadcast_options import BroadcastOptions
from worker.channel import Channel
from worker.claim_keeper import ClaimKeeper, claim_stream
from worker.clock import SYSTEM_CLOCK, Clock
from worker.publisher_session import PublisherSession
from worker.recorder import Recorder, RecorderOptions
from worker.thumbnail_cache import ThumbnailCache

log = structlog.get_logger("live")


class Station:
    """An :class:`ingest.interface.IngestHandler`. ``reconnect_window`` and ``store_timeout`` are seconds."""

    def __init__(
        self,
        *,
        bus: Bus,
        cluster: Cluster,
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
        self._cluster = cluster
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
        # Streams whose last broadcast had keyframes too far apart to pass the source through.
        self._sparse: set[str] = set()
        # Admits one publisher of a stream at a time, so that two publishers do not each open a broadcast.
        self._admitting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def statuses(self) -> Iterator[StreamStatus]:
        """Every stream on air, sorted by name."""
        for _, channel in sorted(self._channels.items()):
            yield channel.describe()

    def uploads(self) -> Iterator[tuple[str, int, float]]:
        """For each broadcast on air or ending: the stream, the bytes waiting for the store, and the oldest upload's
        age in seconds."""
        for channel in (*self._channels.values(), *self._ending):
            yield channel.stream, channel.pending_bytes, channel.oldest_upload_s()

    def window_seed(self, stream: str, broadcast: str) -> WindowSnapshot | None:
        """The live window of a broadcast for an origin that lacks some of its messages; None if it is not on air on
        this node."""
        ref = BroadcastRef(stream, broadcast)
        channels = (*self._channels.values(), *self._ending)
        return next((channel.window_seed() for channel in channels if channel.ref == ref), None)

    async def authorize(self, request: PublishRequest, link: PublisherLink) -> PublisherSession:
        """Let a publisher feed its stream's broadcast; open one if none is on air. Raises PublishRefused."""
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
        admitting = self._admitting.setdefault(record.stream, asyncio.Lock())
        async with admitting:
            channel = self._channels.get(record.stream)
            if channel is None:
                channel = await self._open(record)
            return channel.attach(request, link)

    async def close(self) -> None:
        """End every broadcast and wait until the ends are stored."""
        for channel in tuple(self._channels.values()):
            channel.close("the server is shutting down")
        await asyncio.gather(*(channel.closed() for channel in tuple(self._ending)))

    async def _open(self, record: StreamRecord) -> Channel:
        """Begin a broadcast. Raises PublishRefused if the stream cannot be claimed."""
        channel = self._make_channel(record)
        claim = await self._claim(channel)
        for old in self._ending:
            if old.stream == channel.stream:
                old.supersede()
        channel.start(ClaimKeeper(self._cluster, claim, on_lost=channel.on_claim_lost))
        self._channels[channel.stream] = channel
        return channel

    async def _claim(self, channel: Channel) -> Claim:
        try:
            return await claim_stream(self._cluster, channel.stream, channel.ref.broadcast, channel)
        except AlreadyClaimed as taken:
            node = taken.claim.node
            raise PublishRefused(f"this stream is on air on another server ({node}): publish there") from taken
        except ClusterError as error:
            log.error("a stream cannot be claimed", stream=channel.stream, error=str(error))
            raise PublishRefused("the server cannot reach its cluster to claim the stream; try again") from error

    def _make_channel(self, record: StreamRecord) -> Channel:
        now = self._clock.unix()
        stream, broadcast_id = record.stream, new_broadcast_id(now, secrets.token_bytes(3))
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
        return Channel(
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

    def _on_closed(self, channel: Channel) -> None:
        if self._channels.get(channel.stream) is channel:
            del self._channels[channel.stream]
        if channel.keyframes_are_sparse():
            self._sparse.add(channel.stream)
        else:
            self._sparse.discard(channel.stream)
        self._ending.add(channel)
        task = asyncio.create_task(channel.closed())
        task.add_done_callback(lambda _: self._ending.discard(channel))
