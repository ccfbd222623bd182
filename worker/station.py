"""Every stream that is on air on this node, and the admission of publishers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import structlog

from cluster.claims import Claim
from cluster.errors import AlreadyClaimed, ClusterError
from cluster.interface import Cluster
from ingest.errors import PublishRefused
from ingest.interface import PublisherLink, PublishRequest
from live.bus import Bus
from live.status import StreamStatus
from live.topics import EVENTS, BroadcastRef
from live.window_snapshot import WindowSnapshot
from media.addresses import host_of
from media.names import new_broadcast_id
from storage.backlog import Backlog
from storage.catalogue import Catalogue
from storage.catalogue.events import EventRecord
from storage.catalogue.records import StreamRecord
from storage.interface import ObjectNotFound, ObjectStore
from storage.journals import Journals
from telemetry.metrics import Metrics
from transcoder.client import Thumbnailer
from worker.admission import Admission
from worker.broadcast import Broadcast
from worker.broadcast_options import BroadcastOptions
from worker.channel import FLUSH_S, Channel
from worker.claim_keeper import ClaimKeeper, claim_stream
from worker.clock import SYSTEM_CLOCK, Clock
from worker.encoding.node import NodeEncoding
from worker.event_log import EventLog
from worker.ledger import BroadcastLedger, Course, EmptyJournal, MalformedLedger, read_journal
from worker.lost_segments import LostSegments
from worker.publish_hook import NoHook, PublishHook
from worker.publisher_options import PublisherOptions
from worker.publisher_session import PublisherSession
from worker.recorder import Recorder, RecorderOptions
from worker.segment_traces import SegmentTraces
from worker.slate_pictures import SlateEncoder
from worker.thumbnail_cache import ThumbnailCache

if TYPE_CHECKING:
    from telemetry.tracing import Tracing

log = structlog.get_logger("live")

DRAINING = "this server is being replaced: connect again"


class Station:
    """An :class:`ingest.interface.IngestHandler`. ``store_timeout`` is seconds.

    ``refuses_second``: a publisher is refused while another one with the same role, primary or backup, publishes.
    Otherwise it takes over.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        cluster: Cluster,
        store: ObjectStore,
        catalogue: Catalogue,
        thumbnailer: Thumbnailer,
        metrics: Metrics,
        recorder_options: Callable[[], RecorderOptions],
        broadcast_options: Callable[[StreamRecord], BroadcastOptions],
        publisher_options: Callable[[StreamRecord], PublisherOptions],
        store_timeout: float,
        backlog: Backlog | None = None,
        journals: Journals | None = None,
        refuses_second: Callable[[], bool] = lambda: False,
        encoding: NodeEncoding | None = None,
        hook: PublishHook | None = None,
        clock: Clock = SYSTEM_CLOCK,
        tracing: Tracing | None = None,
    ) -> None:
        self._bus = bus
        self._cluster = cluster
        self._store = store
        self._catalogue = catalogue
        self._admission = Admission(catalogue, hook or NoHook(), clock)
        self._thumbnailer = thumbnailer
        self._metrics = metrics
        self._recorder_options = recorder_options
        self._broadcast_options = broadcast_options
        self._publisher_options = publisher_options
        self._store_timeout = store_timeout
        self._backlog = backlog or Backlog()
        self._journals = journals
        self._refuses_second = refuses_second
        self._encoding = encoding or NodeEncoding()
        self._tracing = tracing
        self._slate_encoder = SlateEncoder()
        self._clock = clock
        self._channels: dict[str, Channel] = {}
        self._ending: set[Channel] = set()
        self._draining = False
        # Set when a broadcast has ended, and its end is stored.
        self._ended = asyncio.Event()
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

    def encoding(self) -> Iterator[tuple[str, float, int]]:
        """For each broadcast on air: the stream, the seconds that its encoding is behind, and the number of rungs
        that are shed."""
        for channel in self._channels.values():
            yield channel.stream, *channel.encoding()

    def window_seed(self, stream: str, broadcast: str) -> WindowSnapshot | None:
        """The live window of a broadcast for an origin that lacks some of its messages; None if it is not on air on
        this node."""
        ref = BroadcastRef(stream, broadcast)
        channels = (*self._channels.values(), *self._ending)
        return next((channel.window_seed() for channel in channels if channel.ref == ref), None)

    async def restore(self) -> None:
        """Put what a store that was emptied needs of the broadcasts on air. Raises StorageError."""
        for channel in (*self._channels.values(), *self._ending):
            await channel.restore()

    async def recover(self) -> None:
        """Continue the broadcasts that were on air when an earlier process died. Those that had ended, and those
        whose stream has begun another or was deleted, are completed in the store. Call it once, before publishers
        arrive. Raises StorageError."""
        if self._journals is None:
            return
        names = await self._journals.names()
        newest = {name.stream: name.broadcast for name in names}
        for name in names:
            file = self._journals.of(*name)
            try:
                ledger, course = await asyncio.to_thread(read_journal, await file.read())
                if (ledger.stream, ledger.broadcast) != name:
                    raise MalformedLedger("the journal is of another broadcast")
            except (EmptyJournal, MalformedLedger) as error:
                aside = await file.put_aside()
                log.error("a broadcast cannot be recovered", **name._asdict(), kept=str(aside), reason=str(error))
                continue
            await self._recover(ledger, course, continues=newest[name.stream] == name.broadcast)

    async def _recover(self, ledger: BroadcastLedger, course: Course, *, continues: bool) -> None:
        stream = ledger.stream
        try:
            record = await self._catalogue.get_stream(stream)
        except ObjectNotFound:
            record, continues = StreamRecord(stream=stream, key_hashes=(), created_at=course.started_at), False
        channel = self._make_channel(record, ledger, course, await self._earlier_events(ledger))
        recorded = await self._catalogue.list_broadcasts(stream, limit=1)
        if recorded and recorded[0].broadcast > ledger.broadcast:
            channel.supersede()
            continues = False
        await self._start(channel)
        await channel.resume()
        if course.ended_at is not None:
            channel.close(course.end_reason or "the broadcast had ended")
        elif not continues:
            channel.close("the server was stopped")
        else:
            channel.await_publisher()

    async def _earlier_events(self, ledger: BroadcastLedger) -> EventRecord | None:
        """None if the broadcast was interrupted before the store had anything of it."""
        try:
            return await self._catalogue.find_events(ledger.stream, ledger.broadcast)
        except ObjectNotFound:
            return None

    async def authorize(self, request: PublishRequest, link: PublisherLink) -> PublisherSession:
        """Let a publisher feed its stream's broadcast, or wait on standby; open a broadcast if none is on air.

        Raises PublishRefused.
        """
        admitted = await self._admission.admit(request)
        record, role, key = admitted.record, admitted.role, admitted.key
        admitting = self._admitting.setdefault(record.stream, asyncio.Lock())
        async with admitting:
            channel = self._channels.get(record.stream)
            if channel is None and self._draining:
                raise PublishRefused(DRAINING)
            if channel is None:
                channel = await self._open(record)
            elif self._refuses_second() and (other := channel.publishers.with_role(role)) is not None:
                what = "with this key" if other.has_key(key) else "to this stream"
                raise PublishRefused(
                    f"an encoder publishes {what} from {other.link.address}: stop that encoder first"
                )
            session = channel.attach(request, link, role, key)
        if key is not None:
            self._catalogue.keys.note_use(key, host_of(request.address), now=self._clock.unix())
        return session

    @asynccontextmanager
    async def holding(self, stream: str) -> AsyncIterator[bool]:
        """Until the block ends, no broadcast of the stream begins. The value: whether it is off air."""
        async with self._admitting.setdefault(stream, asyncio.Lock()):
            yield stream not in self._channels

    async def drain(self) -> None:
        """Refuse publishers of streams that are not on air, ask those on air to connect again, and wait until no
        broadcast is on air and every end is stored."""
        self._draining = True
        for channel in tuple(self._channels.values()):
            channel.publishers.request_reconnect(DRAINING)
        while self._channels or self._ending:
            self._ended.clear()
            await self._ended.wait()

    async def close(self) -> None:
        """End every broadcast and wait at most ``store_timeout`` seconds until the ends are stored."""
        for channel in tuple(self._channels.values()):
            channel.close("the server is shutting down")
        ending = tuple(self._ending)
        closed = asyncio.gather(*(channel.closed() for channel in ending))
        try:
            async with asyncio.timeout(FLUSH_S + self._store_timeout):
                await asyncio.shield(closed)
        except TimeoutError:
            await asyncio.gather(*(channel.give_up() for channel in ending))
            await closed

    async def _open(self, record: StreamRecord) -> Channel:
        """Begin a broadcast. Raises PublishRefused if the stream cannot be claimed."""
        channel = self._make_channel(record, self._new_ledger(record))
        await self._start(channel)
        return channel

    async def _start(self, channel: Channel) -> None:
        """Go on air. Raises PublishRefused if the stream cannot be claimed."""
        claim = await self._claim(channel)
        for old in self._ending:
            if old.stream == channel.stream:
                old.supersede()
        channel.start(ClaimKeeper(self._cluster, claim, on_lost=channel.on_claim_lost))
        self._channels[channel.stream] = channel

    async def _claim(self, channel: Channel) -> Claim:
        try:
            return await claim_stream(self._cluster, channel.stream, channel.ref.broadcast, channel)
        except AlreadyClaimed as taken:
            node = taken.claim.node
            raise PublishRefused(f"this stream is on air on another server ({node}): publish there") from taken
        except ClusterError as error:
            log.error("a stream cannot be claimed", **channel.ref._asdict(), error=str(error))
            raise PublishRefused("the server cannot reach its cluster to claim the stream; try again") from error

    def _new_ledger(self, record: StreamRecord) -> BroadcastLedger:
        now = self._clock.unix()
        # Ids are in the order of the broadcasts, also if the clock was set back since the last one.
        begins = max(now, (record.last_live_at or 0) + 1)
        stream, broadcast_id = record.stream, new_broadcast_id(begins, secrets.token_bytes(3))
        return self._recorder_options().new_ledger(
            stream, broadcast_id, round(now * 1000), sparse=stream in self._sparse
        )

    def _make_channel(
        self,
        record: StreamRecord,
        ledger: BroadcastLedger,
        course: Course | None = None,
        earlier: EventRecord | None = None,
    ) -> Channel:
        stream = ledger.stream
        metrics = self._metrics.of_stream(stream)
        ref = BroadcastRef(stream, ledger.broadcast)
        events = EventLog(
            self._store,
            ref,
            clock=self._clock,
            earlier=earlier,
            on_event=lambda event: self._bus.publish(EVENTS, ref, event),
        )
        lost_segments = LostSegments(metrics, events)
        traces = None
        if self._tracing is not None:
            traces = SegmentTraces(
                ref,
                self._tracing,
                last_listed=lambda track: _last_listed(ledger, track),
                source_age_ns=lambda track, pts: broadcast.source_age_ns(track, pts),
                unix_ns=self._clock.unix_ns,
            )
        recorder = Recorder(
            ledger,
            bus=self._bus,
            store=self._store,
            observer=lost_segments,
            clock=self._clock.unix,
            options=self._recorder_options(),
            backlog=self._backlog,
            journal=self._journals.of(stream, ledger.broadcast) if self._journals is not None else None,
            traces=traces,
            monotonic=self._clock.monotonic,
        )
        thumbnails = ThumbnailCache(self._thumbnailer, stream, recorder.log_context)
        broadcast = Broadcast(
            recorder,
            self._broadcast_options(record),
            clock=self._clock.monotonic,
            unix_ns=self._clock.unix_ns,
            on_keyframe=thumbnails.on_keyframe,
            on_part=self._metrics.part_published,
            encoding=self._encoding,
            events=events,
        )
        return Channel(
            broadcast,
            recorder,
            bus=self._bus,
            catalogue=self._catalogue,
            events=events,
            lost_segments=lost_segments,
            metrics=metrics,
            thumbnails=thumbnails,
            options=self._publisher_options(record),
            on_closed=self._on_closed,
            course=course,
            slate_encoder=self._slate_encoder,
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
        task.add_done_callback(lambda _: self._has_ended(channel))

    def _has_ended(self, channel: Channel) -> None:
        self._ending.discard(channel)
        self._ended.set()


def _last_listed(ledger: BroadcastLedger, track: str) -> int:
    entries = ledger.listed(ledger.tracks[track])
    return entries[-1].msn if entries else -1
