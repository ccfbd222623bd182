from storage.hooks.log import MAX_ENTRIES, Attempt, HookLogs
from storage.interface import StoreUnavailable
from tests.lab.memory_store import MemoryStore


def attempt(number: int) -> Attempt:
    return Attempt(
        at=float(number),
        delivery="msg_01a1f2c3d4e5_9f86d081a1b2",
        event="stream.live",
        attempt=number,
        outcome="retry",
        duration_s=0.1,
    )


async def test_attempts_are_read_newest_first_also_before_they_are_stored() -> None:
    store = MemoryStore()
    logs = HookLogs(store)
    for number in (1, 2, 3):
        logs.add("a", attempt(number))
    assert store.puts == []
    assert [each.attempt for each in await logs.read("a", 2)] == [3, 2]
    await logs.close()
    assert store.puts == ["catalogue/hooks/log/a.json"]
    assert [each.attempt for each in await HookLogs(store).read("a", 10)] == [3, 2, 1]
    assert await HookLogs(store).hooks() == ["a"]


async def test_two_servers_add_to_one_log_and_the_newest_stay() -> None:
    store = MemoryStore()
    one, other = HookLogs(store), HookLogs(store)
    for number in range(MAX_ENTRIES):
        one.add("a", attempt(number))
    other.add("a", attempt(MAX_ENTRIES))
    await one.close()
    await other.close()
    found = await one.read("a", 2 * MAX_ENTRIES)
    assert [each.attempt for each in found] == list(range(MAX_ENTRIES, 0, -1))


async def test_attempts_wait_while_the_store_is_away() -> None:
    store = MemoryStore()
    logs = HookLogs(store, interval=0)
    store.failing = StoreUnavailable("down")
    logs.add("a", attempt(1))
    logs.add("b", attempt(2))
    await logs.close()
    store.failing = None
    assert [each.attempt for each in await logs.read("b", 10)] == [2]
    await logs.close()
    assert await logs.hooks() == ["a", "b"]
    await logs.delete("a")
    assert await logs.hooks() == ["b"]
