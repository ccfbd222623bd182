"""A stream on air: its broadcast, the publishers that feed it, and the wait for a lost publisher to return."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from random import random

import structlog

from cluster.claims import ClaimState
from cluster.errors import NoOwner
from cluster.questions import Done, Switching
from ingest.interface import EndReason, PublisherLink, PublishRequest
from live.bus import Bus
from live.messages import BroadcastStored
from live.status import History, Latencies, StreamState, StreamStatus, Thumbnail
from live.topics import FEEDBACK, MEDIA, MILESTONES, BroadcastRef
from live.window_snapshot import WindowSnapshot
from media.roles import Role
from storage.backoff import backoff_for
from storage.catalogue import Catalogue
from storage.catalogue.events import EventCode, EventRecord
from storage.catalogue.named_keys import NamedKey
from storage.catalogue.records import BroadcastRecord
from storage.interface import StorageError
from telemetry.stream_metrics import StreamMetrics
from worker.broadcast import Broadcast
from worker.claim_keeper import ClaimKeeper
from worker.clock import SYSTEM_CLOCK, Clock, Timer
from worker.event_log import EventLog
from worker.event_review import EventReview
from worker.ledger import Course
from worker.lost_segments import LostSegments
from worker.media_absence import MediaAbsence
from worker.publisher_events import PublisherEvents
from worker.publisher_options import PublisherOptions
from worker.publisher_session import PublisherSession
from worker.publishers import Publishers
from worker.recorder import Recorder
from worker.slate_pictures import SlateEncoder
from worker.slate_schedule import SlateSchedule
from worker.status import describe
from worker.thumbnail_cache import ThumbnailCache
from worker.window_seed import window_seed

log = structlog.get_logger("live")

# Seconds after which a broadcast begins without the renditions that have no media yet.
LONGEST_START_S = 8.0
# Seconds that the end of a broadcast waits for frames that are still being encoded.
FLUSH_S = 10.0


class Channel:
    """A :class:`cluster.questions.StreamOwner`. Nothing runs before :meth:`start`.

    ``on_closed`` is called when the broadcast accepts no more publishers; :meth:`closed` returns when its end is
    stored, which an outage of the store delays, or after :meth:`give_up`.
    """

    def __init__(
        self,
        broadcast: Broadcast,
        recorder: Recorder,
        *,
        bus: Bus,
        catalogue: Catalogue,
        events: EventLog,
        lost_segments: LostSegments,
        metrics: StreamMetrics,
        thumbnails: ThumbnailCache,
        options: PublisherOptions,
        on_closed: Callable[["Channel"], None],
        course: Course | None = None,
        slate_encoder: SlateEncoder | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.ref = BroadcastRef(recorder.ledger.stream, recorder.ledger.broadcast)
        self.stream = self.ref.stream
        self._log = log.bind(**recorder.log_context)
        self._broadcast = broadcast
        self._recorder = recorder
        self._bus = bus
        self._catalogue = catalogue
        self._metrics = metrics
        self._thumbnails = thumbnails
        self._reconnect_window = options.reconnect_window
        self._on_closed = on_closed
        self._clock = clock
        now = clock.unix()
        self._course = course or Course(now)
        self._started = clock.monotonic() - max(0.0, now - self._course.started_at)
        recorder.set_course(self._course)
        self._status: StreamStatus | None = None
        self._giving_up: Timer | None = None
        self._ending: asyncio.Task[None] | None = None
        warnings = broadcast.advice.warnings
        self._events = events
        self._lost_segments = lost_segments
        self._event_review = EventReview(events, warnings)
        self._publisher_events = PublisherEvents(
            events, warnings, reconnect_window=options.reconnect_window, on_lost=metrics.publisher_lost
        )
        self._absence = MediaAbsence()
        self.publishers = Publishers(
            broadcast,
            switch_after=options.switch_after,
            clock=clock,
            metrics=metrics,
            events=self._publisher_events,
            log=self._log,
            log_context=recorder.log_context,
            on_changed=self._forget_status,
            on_empty=self._on_publishers_gone,
        )
        self._slates = SlateSchedule(
            broadcast,
            slate_encoder or SlateEncoder(),
            options,
            thumbnails=thumbnails,
            clock=clock,
            events=events,
            publisher_events=self._publisher_events,
            log_context=recorder.log_context,
        )
        self._retrying: asyncio.Future[None] | None = None
        self._gave_up = False

    def start(self, claim: ClaimKeeper) -> None:
        """Go on air. Call it once, after the stream is claimed and before the first publisher attaches."""
        self._claim = claim
        latency = self._broadcast.latency
        self._subscriptions = (
            self._bus.subscribe(MEDIA, latency.on_message, self.ref),
            self._bus.subscribe(FEEDBACK, latency.on_fetched, self.ref),
        )
        self._recording = asyncio.create_task(self._record_start())
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

    def encoding(self) -> tuple[float, int]:
        """The seconds that encoding is behind the source, and the number of rungs that are shed."""
        return self._broadcast.transcoding.behind_s, self._broadcast.ladder.shed_count

    def keyframes_are_sparse(self) -> bool:
        """Whether the stream's next broadcast should expect keyframes too far apart to pass the source through."""
        return self._broadcast.sparse and self._broadcast.keyframes_are_sparse()

    def attach(
        self, request: PublishRequest, link: PublisherLink, role: Role, key: NamedKey | None = None
    ) -> PublisherSession:
        """Let a publisher feed the broadcast, or wait on standby; one with the same role is disconnected with a
        reason. ``key`` is its stream key, None if the stream has no such key."""
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None
        session = self.publishers.attach(request, link, role, key)
        self._claim.set_state(ClaimState.LIVE)
        return session

    def window_seed(self) -> WindowSnapshot:
        """The broadcast's live window, made from the ledger."""
        return window_seed(self._recorder.ledger)

    async def resume(self) -> None:
        """Continue the broadcast of an earlier process. Raises StorageError."""
        await self._recorder.resume()
        ledger = self._recorder.ledger
        if self._course.ended_at is None:
            self._publisher_events.recovered(self._clock.monotonic())
        self._log.info(
            "broadcast recovered", segments=max((len(t.entries) for t in ledger.tracks.values()), default=0)
        )

    async def restore(self) -> None:
        """Put what a store that was emptied needs of the broadcast. Raises StorageError."""
        await self._recorder.restore()
        self._events.put()

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
        self._slates.stop()
        self._claim.set_state(ClaimState.ENDING)
        on_air_s = round(self._clock.monotonic() - self._started, 1)
        self._events.add(EventCode.ENDED, f"the broadcast ended: {reason}", reason=reason, on_air_s=on_air_s)
        self._events.put()
        if self._giving_up is not None:
            self._giving_up.cancel()
        self._ending = asyncio.create_task(self._end(reason))
        self.publishers.close(reason)
        self._on_closed(self)

    async def give_up(self) -> None:
        """Lose what the store has not taken: the server cannot wait any longer."""
        self._gave_up = True
        await self._recorder.give_up()
        await self._events.give_up()
        if self._retrying is not None:
            self._retrying.cancel()

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

    async def events(self, after: int, limit: int, wait_s: float) -> EventRecord:
        self._check_open()
        await self._events.wait(after, wait_s)
        return self._events.read(after, limit)

    async def kill(self, reason: str) -> Done:
        self._check_open()
        self.close(reason)
        return Done()

    async def disconnect(self, key_hash: str, reason: str) -> Done:
        self._check_open()
        self.publishers.disconnect(key_hash, reason)
        return Done()

    async def switch(self) -> Switching:
        self._check_open()
        return Switching(to=self.publishers.switch())

    def _check_open(self) -> None:
        """Requests may still arrive between the end of the broadcast and the release of its claim."""
        if not self.open:
            raise NoOwner(f"the broadcast of {self.stream} has ended")

    def _forget_status(self) -> None:
        self._status = None

    def _on_publishers_gone(self, reason: EndReason, text: str) -> None:
        if reason in (EndReason.UNPUBLISHED, EndReason.KICKED, EndReason.REVOKED) or self._reconnect_window <= 0:
            self.close(text or reason.value)
            return
        self._broadcast.detach()
        self.await_publisher()
        self._slates.publisher_lost()

    def await_publisher(self) -> None:
        """End the broadcast if no publisher attaches within the reconnect window."""
        self._giving_up = self._clock.call_later(
            self._reconnect_window, lambda: self.close("the publisher did not come back")
        )
        self._claim.set_state(ClaimState.WAITING)
        self._status = None

    async def _tick_every_second(self) -> None:
        while True:
            await self._clock.sleep(1)
            self._broadcast.tick(self._clock.monotonic(), self._clock.unix())
            self.publishers.tick(self._clock.monotonic())
            self._review_events(self._clock.monotonic())
            late = {"transcoder-overrun": self._broadcast.transcoding.dropped}
            self._metrics.units_dropped({**self._broadcast.dropped, **late})
            self._metrics.transcoder_restarts(self._broadcast.transcoding.restarts)
            if self._clock.monotonic() - self._started > LONGEST_START_S:
                self._recorder.stop_waiting()
            self._status = None

    def _review_events(self, now: float) -> None:
        broadcast, meter = self._broadcast, self._broadcast.meter
        self._publisher_events.review(now)
        self._event_review.review(now)
        self._lost_segments.review(now)
        self._absence.tick(meter.frames + meter.sounds, now, lost=self._publisher_events.lost)
        self._metrics.no_media(self._absence.seconds)
        self._metrics.discontinuities(broadcast.discontinuities.counts)

    def _describe(self) -> StreamStatus:
        now, publishers = self._clock.monotonic(), self.publishers
        publisher = publishers.describe(publishers.on_air, now)
        standby = publishers.describe(publishers.standby, now)
        state = StreamState.LIVE if publisher is not None else StreamState.WAITING
        ledger, uptime_s = self._recorder.ledger, now - self._started
        return describe(self._broadcast, ledger, state, publisher, standby, uptime_s=uptime_s, now=now)

    async def _record_start(self) -> None:
        if self._course.ended_at is None:
            await self._record(self._make_record())

    async def _record_end(self) -> BroadcastRecord | None:
        """Try until the record is stored, or nothing more may be tried. Returns what is stored."""
        record, failures = self._make_record(), 0
        while (error := await self._record(record)) is not None:
            if self._gave_up:
                return None
            failures += 1
            self._retrying = asyncio.ensure_future(self._clock.sleep(backoff_for(error).delay(failures, random())))
            await asyncio.wait([self._retrying])
        return record

    def _make_record(self) -> BroadcastRecord:
        ledger, course = self._recorder.ledger, self._course
        return BroadcastRecord(
            stream=self.stream,
            broadcast=self.ref.broadcast,
            started_at=course.started_at,
            ended_at=course.ended_at,
            duration_s=round(ledger.duration_s(), 3),
            bytes=self._recorder.recorded_bytes(),
            tracks=tuple(ledger.tracks),
            end_reason=course.end_reason,
            missing_s={track: round(seconds, 1) for track, seconds in course.missing_s.items()},
        )

    async def _record(self, record: BroadcastRecord) -> StorageError | None:
        """Write the broadcast's record into the catalogue; returns the error if it was not written."""
        try:
            await self._catalogue.put_broadcast(record)
        except StorageError as error:
            self._log.error("a broadcast was not recorded in the catalogue", error=str(error))
            return error
        return None

    async def _end(self, reason: str) -> None:
        for subscription in self._subscriptions:
            subscription.close()
        try:
            missing = await self._broadcast.finish(FLUSH_S)
            if missing:
                self._log.warning("renditions end early, because the transcoder was behind", seconds=missing)
                self._metrics.transcoder_lost(missing)
            if self._course.ended_at is None:
                self._course = replace(
                    self._course, ended_at=self._clock.unix(), end_reason=reason, missing_s=missing
                )
                self._recorder.set_course(self._course)
            await self._recording
            durable = await self._recorder.finish()
            if not durable:
                self._log.error(
                    "the store has not taken the complete broadcast; the next start uploads what is in the spool"
                )
            self._lost_segments.flush()
            await self._events.finish()
            recorded = await self._record_end()
            await self._recorder.close_journal(delete=durable and recorded is not None)
            if durable and recorded is not None and self._recorder.ledger.playable:
                self._bus.publish(MILESTONES, self.ref, BroadcastStored(recorded))
        finally:
            await self._claim.release()
        self._log.info("broadcast ended", reason=reason)
