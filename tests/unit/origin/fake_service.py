"""The server's own operations, which only remember what they were asked for."""

from collections.abc import Callable

from media.errors import HeadwaterError
from origin.api.errors import BadHookTarget
from origin.api.models import Draining, Reloaded
from origin.api.services import HookStatus
from storage.hooks.deliveries import Delivery, DeliveryNotFound
from storage.hooks.log import Attempt
from storage.hooks.registry import Hook, HookDisabled, HookRegistry, find_hook
from storage.interface import ObjectStore

CONFIGURED_S = 600.0


def dead_letter(hook: str, stream: str, at: float) -> Delivery:
    """A message that failed for good at the Unix time ``at``."""
    return Delivery(
        id="msg_01a1f2c3d4e5_9f86d081a1b2",
        hook=hook,
        event="stream.live",
        stream=stream,
        body="{}",
        created_at=at,
        expires_at=at,
        owner="a",
        due_at=at,
        attempts=31,
        error="500 Internal Server Error",
        died_at=at,
    )


class FakeDrain:
    def __init__(self) -> None:
        self.state: Draining | None = None
        self.asked: list[float | None] = []

    def begin(self, grace_s: float | None = None) -> Draining:
        self.asked.append(grace_s)
        self.state = Draining(on_air=2, grace_left_s=CONFIGURED_S if grace_s is None else grace_s)
        return self.state


class FakeReload:
    """Answers ``result`` or raises ``failure``."""

    def __init__(self) -> None:
        self.result = Reloaded(applied=("rtmp.max_bitrate",), restart=("http.listen",))
        self.failure: HeadwaterError | None = None

    async def __call__(self) -> Reloaded:
        if self.failure is not None:
            raise self.failure
        return self.result


class FakeHooks:
    """Hooks in ``store``. Nothing is sent: ``attempt`` is the outcome of each test, and ``letters`` are the dead
    messages of every hook. ``private`` is a URL that must not be called."""

    private = "https://private.example.org/"

    def __init__(self, store: ObjectStore, clock: Callable[[], float]) -> None:
        self._registry = HookRegistry(store)
        self._clock = clock
        self.letters: list[Delivery] = []
        self.attempt = Attempt(
            at=clock(),
            delivery="msg_01a1f2c3d4e5_9f86d081a1b2",
            event="hook.test",
            attempt=1,
            outcome="delivered",
            status=204,
            duration_s=0.08,
        )

    async def statuses(self) -> list[HookStatus]:
        return [HookStatus(hook, 0, len(self.letters)) for hook in await self._registry.read()]

    async def get(self, hook: str) -> HookStatus:
        return HookStatus(await self._find(hook), 0, len(self.letters))

    async def add(self, url: str, events: tuple[str, ...], streams: tuple[str, ...]) -> Hook:
        if url == self.private:
            raise BadHookTarget(f"{url} is not a public address")
        return await self._registry.add(url, events=events, streams=streams, now=self._clock())

    async def change(self, hook: str, change: Callable[[Hook], Hook]) -> Hook:
        return await self._registry.change(hook, change)

    async def remove(self, hook: str) -> Hook:
        return await self._registry.remove(hook)

    async def rotate_secret(self, hook: str) -> Hook:
        return await self._registry.rotate_secret(hook, now=self._clock())

    async def test(self, hook: str) -> Attempt:
        await self._find(hook)
        return self.attempt

    async def replay(self, hook: str, delivery: str | None) -> int:
        if (await self._find(hook)).disabled_reason is not None:
            raise HookDisabled(f"the hook {hook} is disabled: enable it first")
        if delivery is not None and delivery not in [letter.id for letter in self.letters]:
            raise DeliveryNotFound(f"the hook {hook} has no dead message {delivery}")
        count, self.letters = len(self.letters), []
        return count

    async def attempts(self, hook: str, limit: int) -> list[Attempt]:
        await self._find(hook)
        return [self.attempt][:limit]

    async def dead(self, hook: str, limit: int) -> list[Delivery]:
        await self._find(hook)
        return self.letters[:limit]

    async def _find(self, hook: str) -> Hook:
        return find_hook(await self._registry.read(), hook)
