import pytest

from storage.hooks.registry import MAX_HOOKS, ROTATION_S, Hook, HookNotFound, HookRegistry, TooManyHooks
from storage.interface import PreconditionFailed, StoreUnavailable
from tests.lab.memory_store import MemoryStore

NOW = 1_795_257_665.0


async def add(registry: HookRegistry, url: str = "https://example.org/") -> Hook:
    return await registry.add(url, events=("stream.live",), streams=(), now=NOW)


async def test_hooks_are_added_changed_and_removed() -> None:
    registry = HookRegistry(MemoryStore())
    assert await registry.read() == ()
    one, other = await add(registry), await add(registry)
    assert await registry.read() == (one, other)
    changed = await registry.change(one.id, lambda hook: hook.model_copy(update={"streams": ("a",)}))
    assert await registry.read() == (changed, other)
    assert await registry.remove(one.id) == changed
    assert await registry.read() == (other,)
    for call in (registry.remove(one.id), registry.rotate_secret(one.id, now=NOW)):
        with pytest.raises(HookNotFound, match="there is no hook"):
            await call


async def test_servers_that_change_hooks_at_once_lose_no_change() -> None:
    store = MemoryStore()
    one, other = HookRegistry(store), HookRegistry(store)
    first = await add(one)

    async def interfere(hook: Hook) -> None:
        await other.change(hook.id, lambda found: found.model_copy(update={"streams": ("b",)}))

    tries = 0
    put = store.put

    async def put_after_another(*args: object, **options: object) -> object:
        nonlocal tries
        tries += 1
        if tries == 1:
            await interfere(first)
        return await put(*args, **options)  # type: ignore[arg-type]

    store.put = put_after_another  # type: ignore[assignment, method-assign]
    changed = await one.change(first.id, lambda found: found.model_copy(update={"events": ()}))
    assert (changed.events, changed.streams) == ((), ("b",))


async def test_a_put_whose_answer_was_lost_adds_one_hook() -> None:
    store = MemoryStore()
    registry = HookRegistry(store)
    put = store.put
    lost = [True, False]

    async def put_and_fail(*args: object, **options: object) -> object:
        info = await put(*args, **options)  # type: ignore[arg-type]
        if lost.pop(0):
            raise PreconditionFailed("the client repeated the put")
        return info

    store.put = put_and_fail  # type: ignore[assignment, method-assign]
    hook = await add(registry)
    assert await registry.read() == (hook,)


async def test_there_are_at_most_so_many_hooks() -> None:
    registry = HookRegistry(MemoryStore())
    for _ in range(MAX_HOOKS):
        await add(registry)
    with pytest.raises(TooManyHooks, match="remove one first"):
        await add(registry)


async def test_an_old_secret_signs_for_a_day() -> None:
    registry = HookRegistry(MemoryStore())
    hook = await add(registry)
    rotated = await registry.rotate_secret(hook.id, now=NOW)
    assert rotated.secret != hook.secret
    assert rotated.secrets_at(NOW + ROTATION_S - 1) == (rotated.secret, hook.secret)
    assert rotated.secrets_at(NOW + ROTATION_S) == (rotated.secret,)
    assert hook.secret not in repr(rotated) and rotated.secret not in repr(rotated)


async def test_an_emptied_store_gets_the_known_hooks_and_a_removed_hook_does_not_return() -> None:
    store = MemoryStore()
    registry = HookRegistry(store)
    hook = await add(registry)
    store.objects.clear()
    assert await registry.refresh((hook,)) == (hook,)
    assert await registry.read() == (hook,)
    await registry.remove(hook.id)
    assert await registry.refresh((hook,)) == ()
    store.failing = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable):
        await registry.refresh((hook,))


@pytest.mark.parametrize(
    ("events", "streams", "event", "stream", "wanted"),
    [
        ((), (), "stream.live", "a", True),
        (("stream.live",), (), "stream.live", "a", True),
        (("stream.ended",), (), "stream.live", "a", False),
        ((), ("a", "b"), "stream.live", "b", True),
        ((), ("a", "b"), "stream.live", "c", False),
        ((), ("a",), "store.trouble", None, True),
        (("stream.live",), ("a",), "store.trouble", None, False),
    ],
)
def test_filters(
    events: tuple[str, ...], streams: tuple[str, ...], event: str, stream: str | None, wanted: bool
) -> None:
    hook = Hook(id="1", url="https://example.org/", secret="", events=events, streams=streams, created_at=NOW)
    assert hook.wants(event, stream) is wanted
    assert not hook.model_copy(update={"disabled_reason": "410"}).wants(event, stream)
