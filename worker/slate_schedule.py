"""When the slate begins and goes on: some seconds after the publisher is lost, until one returns."""

import asyncio
from collections.abc import Mapping

import structlog

from media.log_context import LogContext
from media.slate import SlateMode
from storage.catalogue.events import EventCode
from worker.broadcast import Broadcast
from worker.clock import Clock
from worker.event_log import EventSink
from worker.publisher_events import VIEWERS_SEE_SLATE, VIEWERS_WAIT, PublisherEvents
from worker.publisher_options import PublisherOptions
from worker.slate_pictures import SlateEncoder, SlatePicture, SlateUnavailable
from worker.thumbnail_cache import ThumbnailCache

log = structlog.get_logger("live")


class SlateSchedule:
    """The slates of one broadcast. ``thumbnails`` has the last keyframe of its source."""

    def __init__(
        self,
        broadcast: Broadcast,
        encoder: SlateEncoder,
        options: PublisherOptions,
        *,
        thumbnails: ThumbnailCache,
        clock: Clock,
        events: EventSink,
        publisher_events: PublisherEvents,
        log_context: LogContext,
    ) -> None:
        self._broadcast = broadcast
        self._encoder = encoder
        self._options = options
        self._thumbnails = thumbnails
        self._clock = clock
        self._events = events
        self._publisher_events = publisher_events
        self._log_context = log_context
        self._log = log.bind(**log_context)
        self._running: asyncio.Task[None] | None = None
        # When the slate began.
        self._began: float | None = None

    def publisher_lost(self) -> None:
        """Prepare the slate, and show it if no publisher returns in time."""
        if self._options.slate is SlateMode.OFF or self._began is not None:
            return
        self._cancel()
        self._publisher_events.viewers = VIEWERS_WAIT
        self._running = asyncio.create_task(self._run(self._clock.monotonic() + self._options.slate_after))

    def stop(self) -> None:
        """End the slate, and show no more: the broadcast ends."""
        self._cancel()
        self._broadcast.end_slate()

    def _cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()
            self._running = None

    async def _run(self, due: float) -> None:
        try:
            pictures = await self._pictures()
            await self._clock.sleep(max(0.0, due - self._clock.monotonic()))
            if self._broadcast.awaits_publisher:
                await self._show(pictures)
        except SlateUnavailable as error:
            self._give_up(str(error))
        except Exception as error:
            self._log.exception("the slate failed")
            self._broadcast.end_slate()
            self._give_up(f"the slate failed: {error!r}")

    async def _pictures(self) -> Mapping[str, SlatePicture]:
        """The pictures by track; none if the broadcast is sound alone. Raises SlateUnavailable."""
        job = self._broadcast.slate_job()
        if job is None:
            return {}
        if self._options.slate is SlateMode.IMAGE:
            if self._options.slate_image is None:
                raise SlateUnavailable("[rtmp] slate_image names no image")
            return await self._encoder.encode_image(job, self._options.slate_image, self._log_context)
        keyframe = self._thumbnails.keyframe
        if keyframe is None or keyframe[0] != self._broadcast.video:
            raise SlateUnavailable("the source has sent no keyframe")
        return await self._encoder.encode(job, keyframe[1], self._log_context)

    async def _show(self, pictures: Mapping[str, SlatePicture]) -> None:
        self._broadcast.begin_slate(pictures, self._on_over)
        self._began = self._clock.monotonic()
        self._publisher_events.viewers = VIEWERS_SEE_SLATE
        self._events.add(EventCode.SLATE, "the publisher is away, and viewers see the slate")
        self._log.info("the slate begins", tracks=sorted(pictures))
        while (left_s := self._broadcast.advance_slate()) is not None:
            await self._clock.sleep(left_s)

    def _on_over(self) -> None:
        began, self._began = self._began, None
        self._publisher_events.viewers = VIEWERS_WAIT
        lasted_s = round(self._clock.monotonic() - began, 1) if began is not None else 0.0
        self._events.add(EventCode.SLATE_OVER, f"the slate ended after {lasted_s:.1f} s", lasted_s=lasted_s)
        self._log.info("the slate ended", lasted_s=lasted_s)

    def _give_up(self, reason: str) -> None:
        self._publisher_events.viewers = f"viewers wait, because there is no slate: {reason}"
        self._log.warning("there is no slate", reason=reason)
