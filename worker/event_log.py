"""The event log of a broadcast: what its operator should know, in memory and in the store."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from pydantic import JsonValue

from live.topics import BroadcastRef
from media.log_context import broadcast_context
from storage.catalogue.events import (
    MAX_EVENTS,
    MAX_FIELD,
    MAX_TEXT,
    Event,
    EventCode,
    EventRecord,
    FieldValue,
    events_object,
)
from storage.documents import encode_document
from storage.interface import ObjectStore
from storage.uploads import UploadQueue
from worker.clock import SYSTEM_CLOCK, Clock, Timer

# Seconds from an event until the log is put: events that follow each other are put together.
PUT_AFTER_S = 3.0


class EventSink(Protocol):
    def add(self, code: EventCode, text: str, **fields: FieldValue) -> None:
        """Note what happened. ``text`` is for people; ``fields`` are the values in it, for programs.

        Never waits, and never fails.
        """
        ...


class NoEvents:
    """An :class:`EventSink` for a broadcast without a log."""

    def add(self, code: EventCode, text: str, **fields: FieldValue) -> None:
        pass


class EventLog:
    """An :class:`EventSink`. At most ``MAX_EVENTS`` events stay: a further one replaces the oldest of the code that
    has the most, so that what happens all the time does not displace what happened once.

    The log is one object, which is put again after each change, at most every ``PUT_AFTER_S`` seconds, and tried
    until the store takes it. ``earlier`` is the stored log of an interrupted broadcast that continues. ``on_event``
    is called with each new event.
    """

    def __init__(
        self,
        store: ObjectStore,
        ref: BroadcastRef,
        *,
        clock: Clock = SYSTEM_CLOCK,
        earlier: EventRecord | None = None,
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self._ref = ref
        self._on_event = on_event
        self._clock = clock
        self._events = list(earlier.events) if earlier is not None else []
        self._dropped = earlier.dropped if earlier is not None else 0
        self._newest = self._events[-1].number if self._events else 0
        self._added = asyncio.Event()
        self._complete = False
        self._put_timer: Timer | None = None
        self._uploads = UploadQueue(
            store, on_stored=lambda key: None, on_lost=lambda key, error: None, context=broadcast_context(*ref)
        )

    def add(self, code: EventCode, text: str, **fields: FieldValue) -> None:
        self._newest += 1
        values: dict[str, JsonValue] = {
            name: value[:MAX_FIELD] if isinstance(value, str) else value for name, value in fields.items()
        }
        event = Event(number=self._newest, at=self._clock.unix(), code=code, text=text[:MAX_TEXT], fields=values)
        self._events.append(event)
        if len(self._events) > MAX_EVENTS:
            self._drop_one()
        self._added.set()
        self._added = asyncio.Event()
        if self._put_timer is None:
            self._put_timer = self._clock.call_later(PUT_AFTER_S, self.put)
        self._on_event(event)

    def read(self, after: int, limit: int) -> EventRecord:
        """The first ``limit`` events whose number is above ``after``."""
        return self._record().after(after, limit)

    async def wait(self, after: int, seconds: float) -> None:
        """Return once there is an event whose number is above ``after``, or after ``seconds``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._newest <= after:
                    await self._added.wait()

    def put(self) -> None:
        """Put the log into the store in the background."""
        if self._put_timer is not None:
            self._put_timer.cancel()
            self._put_timer = None
        self._uploads.put_text(events_object(*self._ref), self._encode)

    async def finish(self) -> None:
        """Wait until the store has the complete log, or until :meth:`give_up`."""
        self._complete = True
        self.put()
        await self._uploads.drain()
        await self._uploads.close()

    async def give_up(self) -> None:
        """Lose what the store has not taken."""
        await self._uploads.close()

    def _drop_one(self) -> None:
        ((most, _),) = Counter(event.code for event in self._events).most_common(1)
        self._events.remove(next(event for event in self._events if event.code == most))
        self._dropped += 1

    def _record(self) -> EventRecord:
        stream, broadcast = self._ref
        return EventRecord(
            stream=stream,
            broadcast=broadcast,
            events=tuple(self._events),
            dropped=self._dropped,
            complete=self._complete,
        )

    async def _encode(self) -> bytes:
        return encode_document(self._record())
