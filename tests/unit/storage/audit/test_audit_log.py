"""The audit log: what is stored, what is read, and what happens if the store fails."""

import asyncio
import math
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from storage import StoreUnavailable
from storage.audit import AuditActor, AuditEntry, AuditLog, AuditPage, new_entry, reader
from storage.audit.entry import MAX_TEXT
from storage.audit.log import MAX_WAITING
from storage.catalogue.scopes import Scope
from tests.lab.memory_store import MemoryStore

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()
DAY = 86_400
PREFIX = "catalogue/audit/2026/11/30/"


def entry(at: float, stream: str = "studio-a", action: str = "kill") -> AuditEntry:
    actor = AuditActor(name="backup", id="9f86d081", scope=Scope.OPERATE)
    return new_entry(action, at=at, stream=stream, token=actor, address="203.0.113.7", client="curl/8")


async def stored(store: MemoryStore, *entries: AuditEntry) -> None:
    """Each in an object of its own."""
    for each in entries:
        log = AuditLog(store)
        log.record(each)
        await log.close()


async def read(
    store: MemoryStore, *, since: float = NOON - DAY, before: float = NOON + DAY, limit: int = 100,
    stream: str | None = None,
) -> AuditPage:  # fmt: skip
    return await AuditLog(store).read(since=since, before=before, limit=limit, stream=stream)


async def test_entries_of_several_writers_are_read_newest_first() -> None:
    store = MemoryStore()
    entries = [entry(NOON + offset) for offset in (3, 1, 2.25, -43_199, -43_201, 43_199.999999)]
    await stored(store, *entries)
    page = await read(store)
    assert page.entries == sorted(entries, key=lambda entry: -entry.at)
    assert page.complete_since == NOON - DAY
    days = {name.rpartition("/")[0] for name in store.objects}
    assert days == {"catalogue/audit/2026/11/30", "catalogue/audit/2026/11/29"}


async def test_an_entry_can_be_read_before_the_store_has_it() -> None:
    store = MemoryStore()
    store.gate.clear()
    log = AuditLog(store)
    log.record(entry(NOON))
    await asyncio.sleep(0)
    assert [each.at for each in (await log.read(since=NOON, before=NOON + 1, limit=9)).entries] == [NOON]
    store.gate.set()
    await log.close()
    assert [each.at for each in (await log.read(since=NOON, before=NOON + 1, limit=9)).entries] == [NOON]


async def test_many_entries_share_an_object() -> None:
    store = MemoryStore()
    log = AuditLog(store, interval=0.01)
    for second in range(1000):
        log.record(entry(NOON + second))
    await log.close()
    assert len(store.puts) == 2
    assert len((await read(store, limit=2000)).entries) == 1000


async def test_a_batch_has_entries_of_one_day() -> None:
    store = MemoryStore()
    log = AuditLog(store)
    for at in (NOON + DAY / 2 - 1, NOON + DAY / 2):
        log.record(entry(at))
    await log.close()
    assert len(store.puts) == 2
    assert [each.at for each in (await read(store, since=NOON + DAY / 2)).entries] == [NOON + DAY / 2]


async def test_time_stream_and_number_limit_what_is_read() -> None:
    store = MemoryStore()
    await stored(store, *(entry(NOON + second, f"s-{second % 2}") for second in range(40)))
    assert [each.at - NOON for each in (await read(store, since=NOON + 36, before=NOON + 39)).entries] == [
        38,
        37,
        36,
    ]
    assert [each.at - NOON for each in (await read(store, stream="s-1", limit=2)).entries] == [39, 37]
    store.calls.clear()
    newest = await read(store, limit=3)
    assert [each.at - NOON for each in newest.entries] == [39, 38, 37]
    assert len(store.keys_of("get")) == 8


@pytest.mark.parametrize("limit", [1, 7, 100])
async def test_pages_together_have_every_entry(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_OBJECTS", 16)
    store = MemoryStore()
    await stored(store, *(entry(NOON - DAY / 2 + second * 700) for second in range(100)))
    since, before = NOON - DAY, NOON + DAY
    read_back: list[float] = []
    for _ in range(200):
        page = await read(store, since=since, before=before, limit=limit, stream="studio-a")
        read_back += [each.at for each in page.entries]
        if page.complete_since <= since:
            break
        assert page.complete_since < before
        before = page.complete_since
    assert read_back == [NOON - DAY / 2 + second * 700 for second in reversed(range(100))]


async def test_a_batch_that_was_delayed_does_not_hide_newer_entries() -> None:
    """One writer's store failed for an hour, so that its batch begins before the other's and ends after it."""
    store = MemoryStore()
    delayed = AuditLog(store)
    delayed.record(entry(NOON))
    delayed.record(entry(NOON + 3600))
    await delayed.close()
    await stored(store, entry(NOON + 1800))
    assert [each.at - NOON for each in (await read(store, limit=1)).entries] == [3600]
    assert [each.at - NOON for each in (await read(store, limit=2)).entries] == [3600, 1800]
    assert [each.at - NOON for each in (await read(store, before=NOON + 1)).entries] == [0]


async def test_foreign_and_damaged_objects_are_left_out() -> None:
    store = MemoryStore()
    await stored(store, entry(NOON))
    await store.put(f"{PREFIX}notes.json", b"{}")
    await store.put(f"{PREFIX}120000000001-120000000001-00000000.json", b"{")
    assert len((await read(store)).entries) == 1


async def test_a_failing_store_delays_entries_but_never_the_caller() -> None:
    store = MemoryStore()
    store.failing = StoreUnavailable("down")
    log = AuditLog(store)
    with capture_logs() as lines:
        log.record(entry(NOON))
        assert [(line["event"], line["token"], line["action"]) for line in lines] == [("audit", "backup", "kill")]
        while len(lines) < 2:
            await asyncio.sleep(0)
    assert lines[1]["event"] == "the audit log cannot be written, its entries wait"
    store.failing = None
    await log.close()
    assert len((await read(store)).entries) == 1


async def test_an_answer_that_was_lost_makes_no_second_copy() -> None:
    store = MemoryStore()
    log = AuditLog(store)
    original = store.put

    async def answer_lost(key: str, body: bytes, *, if_none_match: bool) -> None:
        store.put = original  # type: ignore[method-assign]
        await original(key, body, if_none_match=if_none_match)
        raise StoreUnavailable("the answer was lost")

    store.put = answer_lost  # type: ignore[method-assign,assignment]
    log.record(entry(NOON))
    await asyncio.sleep(0.01)
    await log.close()
    assert len(store.objects) == 1
    assert len((await read(store)).entries) == 1


async def test_entries_that_are_lost_are_in_the_log_and_counted() -> None:
    store, lost = MemoryStore(), list[int]()
    store.failing = StoreUnavailable("down")
    log = AuditLog(store, on_lost=lost.append)
    with capture_logs() as lines:
        for number in range(MAX_WAITING + 1):
            log.record(entry(NOON + number))
        assert lost == [1]
        await log.close(timeout=0.01)
    assert lost == [1, MAX_WAITING]
    errors = [line for line in lines if line["log_level"] == "error"]
    assert len(errors) == MAX_WAITING + 1
    assert {name: errors[0][name] for name in ("event", "token", "stream", "address")} == {
        "event": "an audit entry is lost",
        "token": "backup",
        "stream": "studio-a",
        "address": "203.0.113.7",
    }


def test_what_clients_send_is_bounded_and_printable() -> None:
    made = new_entry("kill", at=NOON, client="a\r\nb\x1b[31m" + "x" * 9999, stream="\x00" * 9999, address=None)
    assert made.client is not None and made.client.startswith("a��b�[31mx")
    assert len(made.client) == len(made.stream or "") == MAX_TEXT
    assert math.isclose(made.at, NOON)
