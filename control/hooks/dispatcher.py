"""Sends what happens on this server to every hook that wants it.

A message is the business of one server, its owner, which is the one where it happened. It takes up its own messages
when it starts again. Another server that shares the store takes over a message whose owner is late.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from control.hooks.keeper import DeliveryKeeper, Fate
from control.hooks.notices import Notice, of_event, of_milestone
from control.hooks.sender import Answer, Sender
from control.hooks.signing import signed_headers
from control.hooks.target import STORE_S, Target, TargetCalls
from live.bus import Bus
from live.messages import Milestone
from live.topics import EVENTS, MILESTONES, BroadcastRef
from storage.catalogue.events import Event
from storage.documents import CorruptRecord
from storage.hooks.deliveries import Deliveries, Delivery, DeliveryKey, new_message_id
from storage.hooks.log import Attempt, HookLogs
from storage.hooks.registry import Hook, HookRegistry
from storage.interface import ObjectNotFound, ObjectStore, PreconditionFailed, StorageError, StoreUnavailable
from worker.clock import SYSTEM_CLOCK, Clock

if TYPE_CHECKING:
    from telemetry.tracing import Tracing

log = structlog.get_logger("hooks")

# Seconds between two readings of the hooks, and between two of the messages in the store.
REFRESH_S = 5.0
SCAN_S = 30.0
# Seconds after which another server takes over a message that is due.
LATE_S = 300.0
# Messages in memory, of all hooks together, and those of one hook that failed for good.
MAX_KEPT = 10_000
MAX_DEAD = 1000
# Seconds that the end of the process waits for the store.
CLOSE_S = 5.0

FULL = "too many messages wait for the target"
DISABLED = "the hook is disabled"
GONE = "the target answered 410 Gone"


@dataclass(frozen=True, slots=True)
class HookPlace:
    """This server: ``owner`` is its lasting name, ``public_url`` the origin's."""

    owner: str
    public_url: str


@dataclass(frozen=True, slots=True)
class HookParts:
    """What is in the store."""

    registry: HookRegistry
    deliveries: Deliveries
    logs: HookLogs

    @classmethod
    def of(cls, store: ObjectStore) -> "HookParts":
        return cls(HookRegistry(store), Deliveries(store), HookLogs(store))


class Dispatcher:
    """``retry_for`` returns the seconds after which a message is dead. ``on_attempt`` is called with the outcome of
    each attempt, and with ``lost`` for a message that neither a target nor the store took."""

    def __init__(
        self,
        parts: HookParts,
        bus: Bus,
        sender: Sender,
        place: HookPlace,
        *,
        retry_for: Callable[[], float],
        on_attempt: Callable[[str], None] = lambda outcome: None,
        clock: Clock = SYSTEM_CLOCK,
        tracing: "Tracing | None" = None,
    ) -> None:
        self.dead = 0
        self._parts = parts
        self._sender = sender
        self._place = place
        self._retry_for = retry_for
        self._count = on_attempt
        self._tracing = tracing
        self._clock = clock
        self._targets: dict[str, Target] = {}
        # Messages of other servers, and the time at which each is late.
        self._foreign: dict[DeliveryKey, float] = {}
        self._keeper = DeliveryKeeper(parts.deliveries, on_taken=self._forget, clock=clock)
        self._calls = TargetCalls(self.send, self.note, self._disable)
        self._subscriptions = (bus.subscribe(EVENTS, self._on_event), bus.subscribe(MILESTONES, self._on_milestone))
        self._tasks: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()

    async def start(self) -> None:
        """Raises StorageError."""
        await self.refresh()
        self._spawn(self._run())

    @property
    def pending(self) -> int:
        """Messages that this server has to send."""
        return sum(target.pending for target in self._targets.values())

    def notify(self, notice: Notice) -> None:
        """Send ``notice`` to every hook that wants it. Never waits, and never fails."""
        now = self._clock.unix()
        message, body = new_message_id(now), notice.body()
        for target in self._targets.values():
            if target.hook.wants(notice.event, notice.stream):
                self._enqueue(target, notice, message, body, now)

    async def refresh(self) -> None:
        """Read the hooks again. Raises StorageError."""
        async with self._changing:
            known = tuple(target.hook for target in self._targets.values())
            await self._use(await self._parts.registry.refresh(known))

    async def send(self, hook: Hook, delivery: Delivery) -> Answer:
        """One attempt."""
        if self._tracing is None:
            return await self._send(hook, delivery, {})
        attributes: dict[str, str | int] = {
            "headwater.hook": hook.id,
            "headwater.event": delivery.event,
            "headwater.attempt": delivery.attempts + 1,
        }
        if delivery.stream is not None:
            attributes["headwater.stream"] = delivery.stream
        with self._tracing.call("webhook", attributes) as span:
            answer = await self._send(hook, delivery, span.headers)
            if answer.status is not None:
                span.answered(answer.status)
            if answer.error is not None:
                span.failed = str(answer.status or "no-answer")
            return answer

    async def _send(self, hook: Hook, delivery: Delivery, headers: Mapping[str, str]) -> Answer:
        now, body = self._clock.unix(), delivery.body.encode()
        signed = signed_headers(delivery.id, body, hook.secrets_at(now), now=int(now))
        return await self._sender.send(hook.url, {**headers, **signed}, body)

    def note(self, hook: str, attempt: Attempt) -> None:
        """Log and count an attempt."""
        self._parts.logs.add(hook, attempt)
        self._count(attempt.outcome)
        if attempt.outcome == "dead":
            self.dead += 1
        line = log.bind(hook=hook, delivery=attempt.delivery, type=attempt.event, attempt=attempt.attempt)
        if attempt.error is None:
            line.info("a message to a hook was delivered", status=attempt.status)
        else:
            level = line.info if attempt.outcome == "retry" else line.warning
            level("a message to a hook was not delivered", outcome=attempt.outcome, error=attempt.error)

    async def replay(self, dead: Delivery) -> bool:
        """Send a dead message again, with a new day to arrive. Returns False if too many messages wait. Raises
        StorageError."""
        target = self._targets.get(dead.hook)
        if target is None or target.full:
            return False
        await self._keeper.settled(dead.key, STORE_S)
        if dead.key in self._keeper:
            raise StoreUnavailable("the message is still being put aside: try again")
        now = self._clock.unix()
        fresh = {"attempts": 0, "error": None, "died_at": None, "owner": self._place.owner, "due_at": now}
        delivery = dead.model_copy(update={**fresh, "expires_at": now + self._retry_for()})
        try:
            etag = await self._parts.deliveries.create(delivery)
        except PreconditionFailed:
            # An earlier call was interrupted before it removed the dead message.
            await self._parts.deliveries.delete_dead(dead.key)
            return True
        self._keeper.adopt(delivery, etag)
        target.add(delivery)
        await self._parts.deliveries.delete_dead(dead.key)
        self.dead = max(0, self.dead - 1)
        return True

    async def close(self) -> None:
        """Messages that were not delivered stay in the store."""
        for subscription in self._subscriptions:
            subscription.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(target.close() for target in self._targets.values()))
        for _ in range(await self._keeper.close(CLOSE_S)):
            self._count("lost")
        await self._parts.logs.close()

    def _on_event(self, ref: BroadcastRef, event: Event) -> None:
        notice = of_event(ref, event)
        if notice is not None:
            self.notify(notice)

    def _on_milestone(self, ref: BroadcastRef, milestone: Milestone) -> None:
        at, url = self._clock.unix(), self._place.public_url
        self.notify(of_milestone(ref, milestone, at=at, public_url=url))

    def _enqueue(self, target: Target, notice: Notice, message: str, body: str, now: float) -> None:
        delivery = Delivery(
            id=message,
            hook=target.hook.id,
            event=notice.event,
            stream=notice.stream,
            body=body,
            created_at=now,
            expires_at=now + self._retry_for(),
            owner=self._place.owner,
            due_at=now,
        )
        if len(self._keeper) >= MAX_KEPT:
            log.error("a message to a hook is lost", hook=delivery.hook, type=delivery.event, reason=FULL)
            self._count("lost")
        elif target.full:
            self._keeper.keep(delivery.model_copy(update={"error": FULL, "died_at": now}), Fate.DEAD)
            self._count_dead(1)
        else:
            self._keeper.keep(delivery)
            target.add(delivery)

    def _count_dead(self, count: int) -> None:
        """For messages that end without an attempt."""
        self.dead += count
        for _ in range(count):
            self._count("dead")

    def _forget(self, key: DeliveryKey) -> None:
        target = self._targets.get(key.hook)
        if target is not None:
            target.forget(key)

    def _disable(self, hook: str) -> None:
        log.warning("a hook is disabled", hook=hook, reason=GONE)
        target = self._targets.get(hook)
        if target is not None:
            self._count_dead(target.bury_all(DISABLED))
        self._spawn(self._store_disabled(hook))

    async def _store_disabled(self, hook: str) -> None:
        try:
            await self._parts.registry.change(
                hook, lambda found: found.model_copy(update={"disabled_reason": GONE})
            )
            await self.refresh()
        except StorageError as error:
            # Until the store answers, the target answers 410 to the next message too.
            log.warning("a disabled hook was not stored", hook=hook, error=str(error))

    async def _use(self, hooks: tuple[Hook, ...]) -> None:
        """Have one target for each of ``hooks``."""
        for hook in hooks:
            target = self._targets.get(hook.id)
            if target is None:
                self._targets[hook.id] = Target(hook, self._calls, self._keeper, clock=self._clock)
            else:
                target.hook = hook
                if hook.disabled_reason is not None:
                    self._count_dead(target.bury_all(DISABLED))
        for removed in self._targets.keys() - {hook.id for hook in hooks}:
            await self._targets.pop(removed).close(removed=True)

    async def _run(self) -> None:
        await self._guarded(self.scan)
        while True:
            for _ in range(round(SCAN_S / REFRESH_S)):
                await self._clock.sleep(REFRESH_S)
                await self._guarded(self.refresh)
            await self._guarded(self.scan)

    async def _guarded(self, call: Callable[[], Awaitable[None]]) -> None:
        try:
            await call()
        except StorageError as error:
            log.debug("hooks cannot be read", error=str(error))
        except Exception:
            log.exception("hooks cannot be read")

    async def scan(self) -> None:
        """Take up the messages in the store that are this server's, or whose owner is late; remove what belongs to
        hooks that were removed. Raises StorageError."""
        deliveries, logs = self._parts.deliveries, self._parts.logs
        # Read before the hooks: what belongs to no hook afterwards belongs to one that was removed.
        pending, dead, logged = await deliveries.pending(), await deliveries.dead(), await logs.hooks()
        await self.refresh()
        waiting = set(pending)
        self._foreign = {key: late_at for key, late_at in self._foreign.items() if key in waiting}
        for key in pending:
            if key.hook not in self._targets:
                await deliveries.delete(key)
            elif key not in self._keeper:
                await self._take_up(key, self._targets[key.hook])
        for hook in set(logged) - self._targets.keys():
            await logs.delete(hook)
        self.dead = await self._trim(dead)

    async def _trim(self, dead: list[DeliveryKey]) -> int:
        """Remove the dead messages of hooks that were removed, and the oldest ones of others; returns how many are
        left."""
        by_hook: defaultdict[str, list[DeliveryKey]] = defaultdict(list)
        for key in sorted(dead):
            by_hook[key.hook].append(key)
        left = 0
        for hook, keys in by_hook.items():
            kept = keys[-MAX_DEAD:] if hook in self._targets else []
            for key in keys[: len(keys) - len(kept)]:
                await self._parts.deliveries.delete_dead(key)
            left += len(kept)
        return left

    async def _take_up(self, key: DeliveryKey, target: Target) -> None:
        now, owner = self._clock.unix(), self._place.owner
        if target.full or now < self._foreign.get(key, 0.0):
            return
        try:
            delivery, etag = await self._parts.deliveries.read(key)
            if delivery.owner != owner:
                self._foreign[key] = late_at = delivery.due_at + LATE_S
                if now < late_at:
                    return
                delivery = delivery.model_copy(update={"owner": owner})
                etag = await self._parts.deliveries.replace(delivery, etag)
        except (ObjectNotFound, PreconditionFailed):
            return
        except CorruptRecord as error:
            log.error("a damaged message to a hook is left out", key="/".join(key), error=str(error))
            return
        self._keeper.adopt(delivery, etag)
        if target.hook.disabled_reason is None:
            target.add(delivery)
        else:
            self._keeper.keep(delivery.model_copy(update={"error": DISABLED, "died_at": now}), Fate.DEAD)

    def _spawn(self, work: "Awaitable[None]") -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
