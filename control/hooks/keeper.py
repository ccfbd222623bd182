"""Keeps deliveries in the store, in the background: what is sent does not wait for a store that is away."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from random import random

import structlog

from storage.backoff import backoff_for
from storage.hooks.deliveries import Deliveries, Delivery, DeliveryKey
from storage.interface import ObjectNotFound, PreconditionFailed, StorageError
from worker.clock import Clock

log = structlog.get_logger("hooks")

# Calls to the store at once.
PARALLEL = 4
# Seconds between two attempts while the server ends.
CLOSING_PAUSE_S = 0.25


class Fate(Enum):
    """What becomes of a delivery in the store."""

    PENDING = auto()
    DEAD = auto()
    DONE = auto()


@dataclass(slots=True, eq=False)
class _Kept:
    """``etag`` is that of the stored object, None before it is stored. ``tried``: the store may have it."""

    delivery: Delivery
    fate: Fate = Fate.PENDING
    etag: str | None = None
    tried: bool = False
    changed: bool = False
    task: "asyncio.Task[None] | None" = None
    settled: asyncio.Event = field(default_factory=asyncio.Event)


class DeliveryKeeper:
    """Each delivery is written until the store takes it. If another server has taken a delivery over, ``on_taken``
    is called, and this server forgets it."""

    def __init__(self, deliveries: Deliveries, *, on_taken: Callable[[DeliveryKey], None], clock: Clock) -> None:
        self._deliveries = deliveries
        self._on_taken = on_taken
        self._clock = clock
        self._kept: dict[DeliveryKey, _Kept] = {}
        self._gate = asyncio.Semaphore(PARALLEL)
        # In a row.
        self._failures = 0
        self._closing = asyncio.Event()

    def __contains__(self, key: DeliveryKey) -> bool:
        return key in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    def adopt(self, delivery: Delivery, etag: str) -> None:
        """Keep a delivery that the store has."""
        kept = _Kept(delivery, etag=etag, tried=True)
        kept.settled.set()
        self._kept[delivery.key] = kept

    def keep(self, delivery: Delivery, fate: Fate = Fate.PENDING) -> None:
        """Let the store have ``delivery`` as it is now."""
        kept = self._kept.setdefault(delivery.key, _Kept(delivery))
        kept.delivery, kept.fate, kept.changed = delivery, fate, True
        kept.settled.clear()
        if kept.task is None or kept.task.done():
            kept.task = asyncio.create_task(self._write(kept))

    async def settled(self, key: DeliveryKey, seconds: float) -> None:
        """Return once the store has the delivery as it is now, or after ``seconds``."""
        kept = self._kept.get(key)
        if kept is None:
            return
        await self._wait(kept.settled, seconds)

    async def close(self, seconds: float) -> int:
        """Wait at most ``seconds`` for the store. Returns how many deliveries it never had, which are lost."""
        self._closing.set()
        tasks = [kept.task for kept in self._kept.values() if kept.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        lost = [kept.delivery for kept in self._kept.values() if kept.etag is None and kept.fate is not Fate.DONE]
        for delivery in lost:
            log.error("a message to a hook is lost", hook=delivery.hook, delivery=delivery.id, type=delivery.event)
        return len(lost)

    async def _write(self, kept: _Kept) -> None:
        key = kept.delivery.key
        while kept.changed:
            kept.changed = False
            try:
                async with self._gate:
                    await self._try(kept)
            except PreconditionFailed:
                del self._kept[key]
                self._on_taken(key)
                break
        kept.task = None
        kept.settled.set()
        if kept.fate is not Fate.PENDING:
            self._kept.pop(key, None)

    async def _try(self, kept: _Kept) -> None:
        """Raises PreconditionFailed. The pause after a failure holds a place at the gate, so that a store that is
        away is asked seldom, however many wait."""
        if kept.fate is Fate.DONE and not kept.tried:
            return
        try:
            await self._apply(kept)
            self._failures = 0
        except PreconditionFailed:
            raise
        except StorageError as error:
            kept.changed = True
            self._failures += 1
            if self._failures == 1:
                log.warning("messages to hooks cannot be stored, and wait in memory", error=str(error))
            if self._closing.is_set():
                await self._clock.sleep(CLOSING_PAUSE_S)
            else:
                await self._wait(self._closing, backoff_for(error).delay(self._failures, random()))

    async def _wait(self, event: asyncio.Event, seconds: float) -> None:
        """Until ``event``, or for ``seconds``."""
        over = asyncio.Event()
        timer = self._clock.call_later(seconds, over.set)
        waiting = [asyncio.create_task(each.wait()) for each in (event, over)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            for task in waiting:
                task.cancel()

    async def _apply(self, kept: _Kept) -> None:
        """Raises PreconditionFailed if the delivery is another server's now, or another server has ended it."""
        delivery, fate, deliveries = kept.delivery, kept.fate, self._deliveries
        if fate is Fate.DONE:
            await deliveries.delete(delivery.key)
            return
        if fate is Fate.DEAD:
            await deliveries.bury(delivery)
            if kept.tried:
                await deliveries.delete(delivery.key)
            return
        try:
            if kept.etag is None:
                kept.tried = True
                kept.etag = await deliveries.create(delivery)
            else:
                kept.etag = await deliveries.replace(delivery, kept.etag)
        except PreconditionFailed:
            kept.etag = await self._own_etag(delivery)
            kept.changed = True

    async def _own_etag(self, delivery: Delivery) -> str:
        """The ETag after a put whose answer was lost. Raises PreconditionFailed if another server was faster."""
        try:
            stored, etag = await self._deliveries.read(delivery.key)
        except ObjectNotFound:
            raise PreconditionFailed("another server has delivered the message") from None
        if stored.owner != delivery.owner:
            raise PreconditionFailed("another server delivers the message")
        return etag
