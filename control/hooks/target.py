"""One hook's messages: a bounded queue, and a few attempts at once, so that a slow target delays nobody else."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from heapq import heapify, heappop, heappush
from random import random

import structlog

from control.hooks.keeper import DeliveryKeeper, Fate
from control.hooks.schedule import Dead, Delivered, Gone, Retry, judge
from control.hooks.sender import Answer
from storage.hooks.deliveries import Delivery, DeliveryKey
from storage.hooks.log import Attempt
from storage.hooks.registry import Hook
from worker.clock import Clock

log = structlog.get_logger("hooks")

MAX_AT_ONCE = 4
MAX_PENDING = 1000
# Seconds that a first attempt waits for the store.
STORE_S = 2.0
# Seconds that running attempts have when the server ends.
CLOSE_S = 1.0

FAULT = "a fault in Headwater; its log has the details"


@dataclass(frozen=True, slots=True)
class TargetCalls:
    """``on_attempt`` gets every attempt and ``on_gone`` the hook whose target answered 410."""

    send: Callable[[Hook, Delivery], Awaitable[Answer]]
    on_attempt: Callable[[str, Attempt], None]
    on_gone: Callable[[str], None]


class Target:
    def __init__(self, hook: Hook, calls: TargetCalls, keeper: DeliveryKeeper, *, clock: Clock) -> None:
        self.hook = hook
        self._calls = calls
        self._keeper = keeper
        self._clock = clock
        # The deliveries that wait, by the time of their next attempt.
        self._waiting: list[tuple[float, DeliveryKey]] = []
        self._deliveries: dict[DeliveryKey, Delivery] = {}
        self._attempts: dict[DeliveryKey, asyncio.Task[None]] = {}
        self._paused_until = 0.0
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    @property
    def pending(self) -> int:
        return len(self._deliveries)

    @property
    def full(self) -> bool:
        return len(self._deliveries) >= MAX_PENDING

    def add(self, delivery: Delivery) -> None:
        """Send ``delivery`` when it is due. The keeper has it."""
        self._deliveries[delivery.key] = delivery
        heappush(self._waiting, (delivery.due_at, delivery.key))
        self._wake.set()

    def forget(self, key: DeliveryKey) -> None:
        """Another server delivers it."""
        if self._deliveries.pop(key, None) is not None:
            self._waiting = [each for each in self._waiting if each[1] != key]
            heapify(self._waiting)

    def bury_all(self, reason: str) -> int:
        """Give up every message that waits; returns how many."""
        waiting, self._waiting = self._waiting, []
        for _, key in waiting:
            self._end(self._deliveries[key].model_copy(update={"error": reason}), Fate.DEAD)
        return len(waiting)

    async def close(self, *, removed: bool = False) -> None:
        """End at once if the hook was ``removed``; otherwise, running attempts have a moment."""
        self._task.cancel()
        await asyncio.wait((self._task,))
        running = tuple(self._attempts.values())
        if running:
            await asyncio.wait(running, timeout=0 if removed else CLOSE_S)
            for task in running:
                task.cancel()
            await asyncio.wait(running)
        if removed:
            for delivery in tuple(self._deliveries.values()):
                self._end(delivery, Fate.DONE)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            self._start_due()
            timer = None
            if self._waiting and len(self._attempts) < MAX_AT_ONCE:
                due_at = max(self._waiting[0][0], self._paused_until)
                timer = self._clock.call_later(max(0.0, due_at - self._clock.unix()), self._wake.set)
            await self._wake.wait()
            if timer is not None:
                timer.cancel()

    def _start_due(self) -> None:
        now = self._clock.unix()
        while self._waiting and len(self._attempts) < MAX_AT_ONCE:
            if max(self._waiting[0][0], self._paused_until) > now:
                return
            _, key = heappop(self._waiting)
            self._attempts[key] = task = asyncio.create_task(self._attempt(self._deliveries[key]))
            task.add_done_callback(partial(self._attempted, key))

    def _attempted(self, key: DeliveryKey, _: "asyncio.Task[None]") -> None:
        del self._attempts[key]
        self._wake.set()

    async def _attempt(self, delivery: Delivery) -> None:
        if not delivery.attempts:
            await self._keeper.settled(delivery.key, STORE_S)
        if delivery.key not in self._deliveries:
            return
        began = self._clock.unix()
        try:
            answer = await self._calls.send(self.hook, delivery)
        except Exception:
            log.exception("a message to a hook could not be sent", hook=self.hook.id)
            answer = Answer(0.0, error=FAULT)
        if delivery.key not in self._deliveries:
            return
        now = self._clock.unix()
        tried = delivery.model_copy(update={"attempts": delivery.attempts + 1, "error": answer.error})
        verdict = judge(answer, tried, now=now, random=random())
        outcome, next_at = "dead", None
        match verdict:
            case Delivered():
                outcome = "delivered"
                self._end(tried, Fate.DONE)
            case Retry(due_at, pause_until):
                outcome, next_at = "retry", due_at
                self._paused_until = max(self._paused_until, pause_until)
                self._retry(tried.model_copy(update={"due_at": due_at}))
            case Dead() | Gone():
                self._end(tried, Fate.DEAD)
        attempt = attempt_of(tried, answer, at=began, outcome=outcome, next_at=next_at)
        self._calls.on_attempt(self.hook.id, attempt)
        if isinstance(verdict, Gone):
            self._calls.on_gone(self.hook.id)

    def _retry(self, delivery: Delivery) -> None:
        self._keeper.keep(delivery)
        self.add(delivery)

    def _end(self, delivery: Delivery, fate: Fate) -> None:
        del self._deliveries[delivery.key]
        died_at = self._clock.unix() if fate is Fate.DEAD else None
        self._keeper.keep(delivery.model_copy(update={"died_at": died_at}), fate)


def attempt_of(
    delivery: Delivery, answer: Answer, *, at: float, outcome: str, next_at: float | None = None
) -> Attempt:
    """The line of the log. ``delivery`` counts the attempt."""
    return Attempt(
        at=at,
        delivery=delivery.id,
        event=delivery.event,
        stream=delivery.stream,
        attempt=delivery.attempts,
        outcome=outcome,
        status=answer.status,
        duration_s=answer.duration_s,
        error=answer.error,
        next_at=next_at,
    )
