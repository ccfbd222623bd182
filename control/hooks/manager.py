"""What operators do with hooks."""

from collections import Counter
from collections.abc import Callable

from control.hooks.dispatcher import Dispatcher, HookParts
from control.hooks.notices import of_test
from control.hooks.sender import Sender
from control.hooks.target import attempt_of
from origin.api.services import HookStatus
from storage.hooks.deliveries import Delivery, DeliveryKey, DeliveryNotFound, new_message_id
from storage.hooks.log import Attempt
from storage.hooks.registry import Hook, HookDisabled, find_hook


class HookManager:
    """An :class:`origin.api.services.Hooks`. ``clock`` returns Unix seconds."""

    def __init__(
        self, parts: HookParts, dispatcher: Dispatcher, sender: Sender, *, clock: Callable[[], float]
    ) -> None:
        self._parts = parts
        self._dispatcher = dispatcher
        self._sender = sender
        self._clock = clock

    async def statuses(self) -> list[HookStatus]:
        pending = Counter(key.hook for key in await self._parts.deliveries.pending())
        dead = Counter(key.hook for key in await self._parts.deliveries.dead())
        hooks = await self._parts.registry.read()
        return [HookStatus(hook, pending[hook.id], dead[hook.id]) for hook in hooks]

    async def get(self, hook: str) -> HookStatus:
        statuses = await self.statuses()
        found = find_hook(tuple(status.hook for status in statuses), hook)
        return next(status for status in statuses if status.hook is found)

    async def add(self, url: str, events: tuple[str, ...], streams: tuple[str, ...]) -> Hook:
        await self._sender.check(url)
        hook = await self._parts.registry.add(url, events=events, streams=streams, now=self._clock())
        await self._dispatcher.refresh()
        return hook

    async def change(self, hook: str, change: Callable[[Hook], Hook]) -> Hook:
        changed = await self._parts.registry.change(hook, change)
        await self._dispatcher.refresh()
        return changed

    async def remove(self, hook: str) -> Hook:
        removed = await self._parts.registry.remove(hook)
        await self._dispatcher.refresh()
        return removed

    async def rotate_secret(self, hook: str) -> Hook:
        rotated = await self._parts.registry.rotate_secret(hook, now=self._clock())
        await self._dispatcher.refresh()
        return rotated

    async def test(self, hook: str) -> Attempt:
        found = find_hook(await self._parts.registry.read(), hook)
        now = self._clock()
        notice = of_test(hook, at=now)
        message = Delivery(
            id=new_message_id(now),
            hook=hook,
            event=notice.event,
            body=notice.body(),
            created_at=now,
            expires_at=now,
            owner="",
            due_at=now,
            attempts=1,
        )
        answer = await self._dispatcher.send(found, message)
        outcome = "delivered" if answer.error is None else "failed"
        attempt = attempt_of(message, answer, at=now, outcome=outcome)
        self._dispatcher.note(hook, attempt)
        return attempt

    async def replay(self, hook: str, delivery: str | None) -> int:
        found = find_hook(await self._parts.registry.read(), hook)
        if found.disabled_reason is not None:
            raise HookDisabled(f"the hook {hook} is disabled ({found.disabled_reason}): enable it first")
        await self._dispatcher.refresh()
        keys = await self._parts.deliveries.dead_of(hook)
        if delivery is not None:
            keys = [key for key in keys if key.delivery == delivery]
            if not keys:
                raise DeliveryNotFound(f"the hook {hook} has no dead message {delivery[:80]}")
        return await self._replay_all(keys)

    async def attempts(self, hook: str, limit: int) -> list[Attempt]:
        find_hook(await self._parts.registry.read(), hook)
        return await self._parts.logs.read(hook, limit)

    async def dead(self, hook: str, limit: int) -> list[Delivery]:
        find_hook(await self._parts.registry.read(), hook)
        keys = (await self._parts.deliveries.dead_of(hook))[-limit:]
        found = [await self._parts.deliveries.read_dead(key) for key in reversed(keys)]
        return [delivery for delivery in found if delivery is not None]

    async def _replay_all(self, keys: list[DeliveryKey]) -> int:
        replayed = 0
        for key in keys:
            dead = await self._parts.deliveries.read_dead(key)
            if dead is None:
                continue
            if not await self._dispatcher.replay(dead):
                break
            replayed += 1
        return replayed
