"""A stream while it is on air: one broadcast, the publisher that feeds it, and the wait for one that was lost."""

import asyncio
from collections.abc import Callable

import structlog

from ingest.interface import EndReason, PublisherLink, PublishRequest
from live.bus_interface import Bus
from live.messages import subject
from live.status import Done, History, KillCommand, Latencies, PublisherStatus, StreamState, Thumbnail
from storage.catalogue import Catalogue
from storage.catalogue.records import BroadcastRecord
from storage.interface import StorageError
from telemetry.metrics import StreamMetrics
from worker.broadcast import Broadcast
from worker.clock import SYSTEM_CLOCK, Clock, Timer
from worker.publisher_session import PublisherSession
from worker.recorder import Recorder
from worker.status import describe
from worker.thumbnail_cache import ThumbnailCache

log = structlog.get_logger("live")

# A broadcast whose renditions are late begins without them.
LONGEST_START_S = 8.0
FLUSH_S = 10.0


class Channel:
    """``on_closed`` is told once the broadcast takes no publisher any more; :meth:`closed` waits for its store."""

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
        self.stream = recorder.ledger.stream
        self.recorder = recorder
        self.broadcast = broadcast
        self.session: PublisherSession | None = None
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
        self._giving_up: Timer | None = None
        self._ending: asyncio.Task[None] | None = None
        self._tracing = bus.subscribe(subject(self.stream, recorder.ledger.broadcast), broadcast.latency.on_message)
        self._serving = bus.serve(f"command.{self.stream}", self._on_command)
        self._queries = (
            bus.serve(f"history.{self.stream}", self._history),
            bus.serve(f"latency.{self.stream}", self._latencies),
            bus.serve(f"thumbnail.{self.stream}", self._thumbnail),
        )
        self._recording = asyncio.create_task(self.record())
        self._ticking = asyncio.create_task(self._tick_for_ever())

    @property
    def open(self) -> bool:
        return self._ending is None

    def attach(self, request: PublishRequest, link: PublisherLink) -> PublisherSession:
        """Let a publisher feed the broadcast; one that still does is told and disconnected."""
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None
        if self.session is not None:
            self.session.link.kick("another publisher with this stream key took over", EndReason.TAKEN_OVER)
        self.broadcast.attach()
        self.session = PublisherSession(
            self.broadcast, request, link, since=self._clock.monotonic(), on_ended=self._on_session_ended
        )
        self._publish_status()
        log.info("publisher connected", stream=self.stream, address=link.address, software=request.software)
        return self.session

    def close(self, reason: str) -> None:
        """End the broadcast: no more media, playlists closed."""
        if self._ending is not None:
            return
        self._serving.close()
        # At once: the stream's next broadcast may put its own status before the end's task runs.
        self._ticking.cancel()
        self._bus.state.delete(f"stream.{self.stream}")
        if self._giving_up is not None:
            self._giving_up.cancel()
        self._ending = asyncio.create_task(self._end(reason))
        if self.session is not None:
            self.session.link.kick(reason)
        self._on_closed(self)

    async def closed(self) -> None:
        if self._ending is not None:
            await self._ending

    async def record(self, *, ended: bool = False, reason: str | None = None) -> None:
        """Write what is known of the broadcast into the catalogue."""
        ledger = self.recorder.ledger
        record = BroadcastRecord(
            stream=self.stream,
            broadcast=ledger.broadcast,
            started_at=self._started_unix,
            ended_at=self._clock.unix() if ended else None,
            duration_s=round(ledger.duration_s(), 3),
            bytes=ledger.total_bytes(),
            tracks=tuple(ledger.tracks),
            end_reason=reason,
        )
        try:
            await self._catalogue.put_broadcast(record)
        except StorageError as error:
            log.error("the catalogue misses a broadcast", stream=self.stream, error=str(error))

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
        self.broadcast.detach()
        self._giving_up = self._clock.call_later(
            self._reconnect_window, lambda: self.close("the publisher did not come back")
        )
        self._publish_status()

    async def _on_command(self, message: object) -> Done:
        assert isinstance(message, KillCommand)
        self.close(message.reason)
        return Done()

    async def _history(self, _: object) -> History:
        return History(samples=tuple(self.broadcast.meter.history))

    async def _latencies(self, _: object) -> Latencies:
        return Latencies(stages=self.broadcast.latency.status())

    async def _thumbnail(self, _: object) -> Thumbnail:
        return await self._thumbnails.picture()

    async def _tick_for_ever(self) -> None:
        while True:
            await self._clock.sleep(1)
            self.broadcast.tick(self._clock.monotonic(), self._clock.unix())
            self._metrics.units_dropped(self.broadcast.dropped)
            self._metrics.transcoder_restarts(self.broadcast.transcoding.restarts)
            if self._clock.monotonic() - self._started > LONGEST_START_S:
                self.recorder.stop_waiting()
            self._publish_status()

    def _publish_status(self) -> None:
        now = self._clock.monotonic()
        publisher = None
        if self.session is not None:
            publisher = PublisherStatus(
                address=self.session.link.address,
                software=self.session.software,
                connected_s=round(now - self.session.since, 1),
            )
        state = StreamState.LIVE if self.session is not None else StreamState.WAITING
        status = describe(
            self.broadcast, self.recorder.ledger, state, publisher, uptime_s=now - self._started, now=now
        )
        self._bus.state.put(f"stream.{self.stream}", status)

    async def _end(self, reason: str) -> None:
        self._tracing.close()
        for query in self._queries:
            query.close()
        await self.broadcast.finish(FLUSH_S)
        await self._recording
        durable = await self.recorder.finish(self._store_timeout)
        if not durable:
            log.error("the store did not take the whole broadcast", stream=self.stream)
        await self.record(ended=True, reason=reason)
        log.info("broadcast ended", stream=self.stream, reason=reason)
