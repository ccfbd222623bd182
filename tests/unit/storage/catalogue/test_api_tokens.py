"""API tokens in the store: what is stored, who finds them, and when they stop working."""

import asyncio

import pytest

from storage import StoreUnavailable
from storage.catalogue.api_token_text import new_api_token
from storage.catalogue.api_tokens import (
    LAST_USE_S,
    MAX_LOOKUPS,
    ApiTokens,
    BadTokenName,
    TokenExists,
    TokenNotFound,
)
from storage.catalogue.scopes import Scope
from tests.lab.clock import ManualClock
from tests.lab.memory_store import MemoryStore

NOW = 1_800_000_000.0
OBJECT = "catalogue/api-tokens/backup.json"


def test_each_scope_includes_those_before_it() -> None:
    for scope, included in (
        (Scope.READ, {Scope.READ}),
        (Scope.OPERATE, {Scope.READ, Scope.OPERATE}),
        (Scope.ADMIN, set(Scope)),
    ):
        assert {other for other in Scope if scope.includes(other)} == included


async def test_a_created_token_is_found_by_every_process_in_one_read() -> None:
    store = MemoryStore()
    record, token = await ApiTokens(store).create("backup", Scope.READ, now=NOW, expires_at=NOW + 60)
    assert token.startswith("hw_backup_") and len(token) == len("hw_backup_") + 43
    store.calls.clear()
    assert await ApiTokens(store).find(token) == record
    assert store.calls == [("get", OBJECT)]
    assert (record.scope, record.created_at, record.expires_at, record.last_used_at) == (
        Scope.READ,
        NOW,
        NOW + 60,
        None,
    )


async def test_the_store_contains_no_token() -> None:
    store = MemoryStore()
    _, token = await ApiTokens(store).create("backup", Scope.ADMIN, now=NOW)
    secret = token.rpartition("_")[2]
    for name, found in store.objects.items():
        assert found.info.cache_control == "private, no-store"
        assert secret not in name and secret.encode() not in found.body


async def test_only_the_whole_token_is_accepted() -> None:
    tokens = ApiTokens(MemoryStore())
    _, token = await tokens.create("backup", Scope.ADMIN, now=NOW)
    for wrong in ("", "backup", token[:-1], token + "x", new_api_token("backup"), token.upper(), f" {token}"):
        assert await tokens.find(wrong) is None


async def test_texts_of_another_form_are_not_looked_up() -> None:
    store = MemoryStore()
    for wrong in ("", "hw_", "hw_../x_" + "a" * 43, "x" * 100_000):
        assert await ApiTokens(store).find(wrong) is None
    assert store.calls == []


@pytest.mark.parametrize("name", ["", "Backup", "a_b", "-a", "../x", "a" * 64, "api-token"])
async def test_invalid_names_are_refused(name: str) -> None:
    with pytest.raises(BadTokenName, match="lower-case"):
        await ApiTokens(MemoryStore()).create(name, Scope.READ, now=NOW)
    with pytest.raises(TokenNotFound):
        await ApiTokens(MemoryStore()).revoke(name)


async def test_a_name_is_taken_until_its_token_is_revoked() -> None:
    store = MemoryStore()
    tokens, other = ApiTokens(store), ApiTokens(store)
    first, old = await tokens.create("backup", Scope.READ, now=NOW)
    with pytest.raises(TokenExists, match="revoke it, or choose another name"):
        await other.create("backup", Scope.ADMIN, now=NOW)
    assert await tokens.revoke("backup") == first
    second, new = await tokens.create("backup", Scope.READ, now=NOW)
    assert second.id != first.id
    assert (await tokens.find(old), await tokens.find(new)) == (None, second)


async def test_a_token_revoked_by_another_process_stops_working_within_seconds() -> None:
    store, clock = MemoryStore(), ManualClock()
    tokens, other = ApiTokens(store, clock=clock), ApiTokens(store)
    _, token = await tokens.create("backup", Scope.READ, now=NOW)
    await other.revoke("backup")
    assert await tokens.find(token) is not None
    clock.now += 5
    assert await tokens.find(token) is None


async def test_a_token_that_replaced_a_revoked_one_works_at_once_in_every_process() -> None:
    store = MemoryStore()
    tokens, other = ApiTokens(store), ApiTokens(store)
    _, old = await tokens.create("backup", Scope.READ, now=NOW)
    assert await other.find(old) is not None
    await tokens.revoke("backup")
    record, new = await tokens.create("backup", Scope.READ, now=NOW)
    assert await other.find(new) == record
    assert await other.find(old) is None


async def test_a_known_token_works_while_the_store_fails() -> None:
    store, clock = MemoryStore(), ManualClock()
    tokens = ApiTokens(store, clock=clock)
    record, token = await tokens.create("backup", Scope.READ, now=NOW)
    clock.now += 3600
    store.failing = StoreUnavailable("down")
    assert tokens.is_known(token)
    assert not any(tokens.is_known(other) for other in ("x", new_api_token("other"), new_api_token("backup")))
    assert await tokens.find(token) == record
    with pytest.raises(StoreUnavailable):
        await tokens.find(new_api_token("other"))


async def test_invented_tokens_cannot_fill_the_queue_of_the_store() -> None:
    store = MemoryStore()
    tokens = ApiTokens(store)
    _, token = await tokens.create("backup", Scope.READ, now=NOW)
    invented = [new_api_token(f"name-{number}") for number in range(100)]
    found = await asyncio.gather(*map(tokens.find, invented), tokens.find(token), return_exceptions=True)
    assert store.most_at_once <= MAX_LOOKUPS
    assert found[-1] is not None and not isinstance(found[-1], BaseException)


async def test_the_last_use_is_stored_once_an_hour() -> None:
    store = MemoryStore()
    tokens = ApiTokens(store)
    record, _ = await tokens.create("backup", Scope.READ, now=NOW)
    store.calls.clear()
    for now in (NOW, NOW + 1, NOW + LAST_USE_S - 1):
        tokens.note_use(record, now=now)
    await settled(tokens)
    assert [used.last_used_at for used in await tokens.list()] == [NOW]
    tokens.note_use(record, now=NOW + LAST_USE_S)
    await settled(tokens)
    assert [used.last_used_at for used in await tokens.list()] == [NOW + LAST_USE_S]
    assert store.keys_of("put") == [OBJECT, OBJECT]


async def test_a_use_does_not_bring_a_revoked_token_back() -> None:
    store = MemoryStore()
    tokens = ApiTokens(store)
    record, token = await tokens.create("backup", Scope.READ, now=NOW)
    store.hold[OBJECT] = asyncio.Event()
    tokens.note_use(record, now=NOW)
    await asyncio.sleep(0)
    del store.objects[OBJECT]
    store.hold.pop(OBJECT).set()
    await settled(tokens)
    assert OBJECT not in store.objects
    assert await ApiTokens(store).find(token) is None


async def test_a_failing_store_does_not_disturb_a_use() -> None:
    store = MemoryStore()
    tokens = ApiTokens(store)
    record, token = await tokens.create("backup", Scope.READ, now=NOW)
    store.failing = StoreUnavailable("down")
    tokens.note_use(record, now=NOW)
    await settled(tokens)
    assert await tokens.find(token) == record


async def settled(tokens: ApiTokens) -> None:
    while tokens._tasks:
        await asyncio.gather(*tokens._tasks)
