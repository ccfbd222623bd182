"""A stream on air: its broadcast, the publisher that feeds it, and the wait for a lost publisher to return."""

import asyncio
from collections.abc import Callable

import structlog

from cluster.claims import ClaimState
from cluster.errors import NoOwner
from cluster.questions import Done
from ingest.interface import EndReason, PublisherLink, PublishRequest
from live.bus import Bus
from live.status import History, Latencies, PublisherStatus, StreamState, StreamStatus, Thumbnail
from live.topics import FEEDBACK, MEDIA, BroadcastRef
from live.window_snapshot import WindowSnapshot
from storage.catalogue import Catalogue
from storage.catalogue.records import BroadcastRecord
from storage.interface import StorageError
from telemetry.metrics import StreamMetrics
from worker.broadcast import Broadcast
from worker.claim_keeper import ClaimKeeper
from worker.clock import SYSTEM_CLOCK, Clock, Timer
from worker.publisher_session import PublisherSession
from worker.recorder import Recorder
from worker.status import describe
from worker.thumbnail_cache import ThumbnailCache
from worker.window_seed import window_seed

log = structlog.get_logger("live")

# Seconds after which a broadcast begins without the renditions that have no media yet.
LONGEST_START_S = 8.0
# Seconds that the end of a broadcast waits for frames that are still being encoded.
FLUSH_S = 10.0


class Channel:
    """A :class:`cluster.questions.StreamOwner`. Nothing runs before :meth:`start`. ``reconnect_window`` and
    ``store_timeout`` are seconds.

    ``on_closed`` is called when the broadcast accepts no more publishers; :meth:`closed` returns when its end is
    stored.
    """

    def __init__(
        self,
        broadcast: Broadcast,
        recorder: Recorder,
        *,
        bus: Bus,
        catalogue: Catalogue,
        metrics: StreamMetrics,
        thumbnails: ThumbnailCache,
        reconnect_window: float,
        store_timeout: float,
        on_closed: Callable[["Channel"], None],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.ref = BroadcastRef(recorder.ledger.stream, recorder.ledger.broadcast)
        self.stream = self.ref.stream
        self.session: PublisherSession | None = None
        self._broadcast = broadcast
        self._recorder = recorder
        self._bus = bus
        self._catalogue = catalogue
        self._metrics = metrics
        self._thumbnails = thumbnails
        self._reconnect_window = reconnect_window
        self._store_timeout = store_timeout
        self._on_closed = on_closed
        self._clock = clock
        self._started_unix = clock.unix()
        self._started = clock.monotonic()
        self._status: StreamStatus | None = None
        self._giving_up: Timer | None = None
        self._ending: asyncio.Task[None] | None = None

    def start(self, claim: ClaimKeeper) -> None:
        """Go on air. Call it once, after the stream is claimed and before the first publisher attaches."""
        self._claim = claim
        latency = self._broadcast.latency
        self._subscriptions = (
            self._bus.subscribe(MEDIA, latency.on_message, self.ref),
            self._bus.subscribe(FEEDBACK, latency.on_fetched, self.ref),
        )
        self._recording = asyncio.create_task(self._record())
        self._ticking = asyncio.create_task(self._tick_every_second())

    @property
    def open(self) -> bool:
        return self._ending is None

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait for the store."""
        return self._recorder.pending_bytes

    def oldest_upload_s(self) -> float:
        """The age of the oldest upload in seconds."""
        return self._recorder.oldest_upload_s(self._clock.monotonic())

    def keyframes_are_sparse(self) -> bool:
        """Whether the stream's next broadcast should expect keyframes too far apart to pass the source through."""
        return self._broadcast.sparse and self._broadcast.keyframes_are_sparse()

    def attach(self, request: PublishRequest, link: PublisherLink) -> PublisherSession:
        """Let a publisher feed the broadcast; a publisher that already feeds it is disconnected with a reason."""
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None
        if self.session is not None:
            self.session.link.kick("another publisher with this stream key took over", EndReason.TAKEN_OVER)
        self._broadcast.attach()
        self.session = PublisherSession(
            self._broadcast, request, link, since=self._clock.monotonic(), on_ended=self._on_session_ended
        )
        self._claim.set_state(ClaimState.LIVE)
        self._status = None
        log.info("publisher connected", stream=self.stream, address=link.address, software=request.software)
        return self.session

    def window_seed(self) -> WindowSnapshot:
        """The broadcast's live window, made from the ledger."""
        return window_seed(self._recorder.ledger)

    def supersede(self) -> None:
        """Stop writing the stream's current names: its next broadcast has begun while this one still ends."""
        self._recorder.supersede()

    def on_claim_lost(self) -> None:
        """Another node owns the stream now, so only that node may write the stream's current names."""
        self._recorder.supersede()
        self.close("another server has taken over the stream")

    def close(self, reason: str) -> None:
        """End the broadcast in the background: it accepts no more media, and its playlists are completed."""
        if self._ending is not None:
            return
        self._ticking.cancel()
        self._claim.set_state(ClaimState.ENDING)
        if self._giving_up is not None:
            self._giving_up.cancel()
        self._ending = asyncio.create_task(self._end(reason))
        if self.session is not None:
            self.session.link.kick(reason)
        self._on_closed(self)

    async def closed(self) -> None:
        """Wait until the end of the broadcast is stored; returns at once if it is still open."""
        if self._ending is not None:
            await self._ending

    def describe(self) -> StreamStatus:
        """The status, at most a second old. It is made at the first request after a change."""
        if self._status is None:
            self._status = self._describe()
        return self._status

    # Requests from the cluster (StreamOwner).

    async def status(self) -> StreamStatus:
        self._check_open()
        return self.describe()

    async def history(self) -> History:
        self._check_open()
        return History(samples=tuple(self._broadcast.meter.history))

    async def latencies(self) -> Latencies:
        self._check_open()
        return Latencies(stages=self._broadcast.latency.status())

    async def thumbnail(self) -> Thumbnail:
        self._check_open()
        return await self._thumbnails.picture()

    async def kill(self, reason: str) -> Done:
        self._check_open()
        self.close(reason)
        return Done()

    def _check_open(self) -> None:
        """Requests may still arrive between the end of the broadcast and the release of its claim."""
        if not self.open:
            raise NoOwner(f"the broadcast of {self.stream} has ended")

    def _on_session_ended(self, session: PublisherSession, reason: EndReason, text: str) -> None:
        log.info("publisher gone", stream=self.stream, reason=reason.value, text=text)
        if session is not self.session:
            return
        self.session = None
        if self._ending is not None or reason is EndReason.TAKEN_OVER:
            return
        if reason in (EndReason.UNPUBLISHED, EndReason.KICKED) or self._reconnect_window <= 0:
            self.close(text or reason.value)
            return
        self._broadcast.detach()
        self._giving_up = self._clock.call_later(
            self._reconnect_window, lambda: self.close("the publisher did not come back")
        )
        self._claim.set_state(ClaimState.WAITING)
        self._status = None

    async def _tick_every_second(self) -> None:
        while True:
            await self._clock.sleep(1)
            self._broadcast.tick(self._clock.monotonic(), self._clock.unix())
            self._metrics.units_dropped(self._broadcast.dropped)
            self._metrics.transcoder_restarts(self._broadcast.transcoding.restarts)
            if self._clock.monotonic() - self._started > LONGEST_START_S:
                self._recorder.stop_waiting()
            self._status = None

    def _describe(self) -> StreamStatus:
        now = self._clock.monotonic()
        publisher = None
        if self.session is not None:
            publisher = PublisherStatus(
                address=self.session.link.address,
                software=self.session.software,
                connected_s=round(now - self.session.since, 1),
            )
        state = StreamState.LIVE if self.session is not None else StreamState.WAITING
        ledger, uptime_s = self._recorder.ledger, now - self._started
        return describe(self._broadcast, ledger, state, publisher, uptime_s=uptime_s, now=now)

    async def _record_end(self, reason: str) -> None:
        await self._record(ended_at=self._clock.unix(), reason=reason)

    async def _record(self, *, ended_at: float | None = None, reason: str | None = None) -> None:
        """Write the broadcast's record into the catalogue."""
        ledger = self._recorder.ledger
        record = BroadcastRecord(
            stream=self.stream,
            broadcast=self.ref.broadcast,
            started_at=self._started_unix,
            ended_at=ended_at,
            duration_s=round(ledger.duration_s(), 3),
            bytes=ledger.total_bytes(),
            tracks=tuple(ledger.tracks),
            end_reason=reason,
        )
        try:
            await self._catalogue.put_broadcast(record)
        except StorageError as error:
            log.error("a broadcast was not recorded in the catalogue", stream=self.stream, error=str(error))

    async def _end(self, reason: str) -> None:
        for subscription in self._subscriptions:
            subscription.close()
        try:
            await self._broadcast.finish(FLUSH_S)
            await self._recording
            durable = await self._recorder.finish(self._store_timeout)
            if not durable:
                log.error("the store did not take the complete broadcast", stream=self.stream)
            await self._record_end(reason)
        finally:
            await self._claim.release()
        log.info("broadcast ended", stream=self.stream, reason=reason)
