"""The event log of a broadcast: its order, its bounds, and its object in the store."""

import asyncio
import json

import pytest

from live.topics import BroadcastRef
from storage.backoff import Backoff
from storage.catalogue.events import MAX_EVENTS, MAX_FIELD, MAX_TEXT, Event, EventCode, EventRecord
from storage.interface import StoreUnavailable
from tests.lab.memory_store import MemoryStore
from tests.lab.waiting import run_until_idle
from tests.unit.worker.fakes import FakeClock
from tests.unit.worker.stage import BROADCAST, EVENTS, STREAM
from worker.event_log import PUT_AFTER_S, EventLog

REF = BroadcastRef(STREAM, BROADCAST)
DOWN = StoreUnavailable("the store is down")


class Bench:
    def __init__(self, earlier: EventRecord | None = None) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.log = EventLog(self.store, REF, clock=self.clock, earlier=earlier)

    def stored(self) -> EventRecord:
        return EventRecord.model_validate_json(self.store.body(EVENTS))


def codes(record: EventRecord) -> list[str]:
    return [event.code for event in record.events]


async def test_an_event_has_its_time_number_text_and_fields() -> None:
    bench = Bench()
    bench.log.add(EventCode.STARTED, "it began", address="203.0.113.7:1")
    await bench.clock.advance(1.5)
    bench.log.add(EventCode.PUBLISHER_RETURNED, "it returned", away_s=4.2)
    first, second = bench.log.read(0, 10).events
    assert first == Event(
        number=1, at=bench.clock.unix() - 1.5, code="started", text="it began", fields={"address": "203.0.113.7:1"}
    )
    assert (second.number, second.fields) == (2, {"away_s": 4.2})
    assert bench.log.read(1, 10).events == (second,)
    assert bench.log.read(0, 1).events == (first,)
    assert bench.log.read(2, 10).events == ()


async def test_events_that_follow_each_other_are_put_together() -> None:
    bench = Bench()
    for _ in range(5):
        bench.log.add(EventCode.DISCONTINUITY, "a hole")
    await bench.clock.advance(PUT_AFTER_S - 0.1)
    assert bench.store.puts == []
    await bench.clock.advance(0.2)
    assert bench.store.puts == [EVENTS]
    assert codes(bench.stored()) == ["discontinuity"] * 5
    await bench.clock.advance(60)
    assert bench.store.puts == [EVENTS]
    await bench.log.finish()


async def test_a_log_is_private_to_operators() -> None:
    bench = Bench()
    bench.log.add(EventCode.STARTED, "it began", address="203.0.113.7:1")
    await bench.log.finish()
    info = bench.store.objects[EVENTS].info
    assert not info.key.startswith("live/")
    assert (info.content_type, info.cache_control) == ("application/json", "private, no-store")


async def test_a_further_event_replaces_the_oldest_of_the_most_frequent_code() -> None:
    bench = Bench()
    bench.log.add(EventCode.STARTED, "it began")
    bench.log.add(EventCode.SOURCE_CHANGED, "another size")
    for number in range(3 * MAX_EVENTS):
        bench.log.add(EventCode.PUBLISHER_LOST, "lost", number=number)
        bench.log.add(EventCode.PUBLISHER_RETURNED, "back", number=number)
    bench.log.add(EventCode.ENDED, "it ended")
    record = bench.log.read(0, 10 * MAX_EVENTS)
    assert len(record.events) == MAX_EVENTS
    assert codes(record)[:2] == ["started", "source-changed"]
    assert codes(record)[-1] == "ended"
    assert record.events[-2].fields == {"number": 3 * MAX_EVENTS - 1}
    assert record.dropped == 6 * MAX_EVENTS + 3 - MAX_EVENTS
    numbers = [event.number for event in record.events]
    assert numbers == sorted(set(numbers))
    await bench.log.finish()
    assert bench.stored() == record.model_copy(update={"complete": True})


async def test_texts_and_fields_have_a_bound() -> None:
    bench = Bench()
    bench.log.add(EventCode.WARNING, "x" * 100_000, warning="y" * 100_000)
    (event,) = bench.log.read(0, 10).events
    assert (len(event.text), len(str(event.fields["warning"]))) == (MAX_TEXT, MAX_FIELD)


async def test_a_flapping_publisher_does_not_fill_the_store() -> None:
    """However much happens, the object has a bound, and is put every few seconds."""
    bench = Bench()
    for _ in range(60):
        for _ in range(50):
            bench.log.add(EventCode.PUBLISHER_LOST, "x" * MAX_TEXT, address="y" * MAX_FIELD)
        await bench.clock.advance(1)
    assert len(bench.store.puts) <= 60 / PUT_AFTER_S + 1
    assert len(bench.store.body(EVENTS)) < MAX_EVENTS * (MAX_TEXT + MAX_FIELD + 300)
    await bench.log.finish()


async def test_a_failing_store_gets_the_log_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.uploads.backoff_for", lambda error: Backoff(0.01, 0.01))
    bench = Bench()
    bench.store.failing = DOWN
    bench.log.add(EventCode.STARTED, "it began")
    await bench.clock.advance(PUT_AFTER_S)
    bench.log.add(EventCode.ENDED, "it ended")
    ended = asyncio.ensure_future(bench.log.finish())
    await asyncio.sleep(0.05)
    assert not ended.done()
    bench.store.failing = None
    async with asyncio.timeout(5):
        await ended
    assert (codes(bench.stored()), bench.stored().complete) == (["started", "ended"], True)


async def test_giving_up_ends_the_wait_for_the_store() -> None:
    bench = Bench()
    bench.store.failing = DOWN
    bench.log.add(EventCode.ENDED, "it ended")
    ended = asyncio.ensure_future(bench.log.finish())
    await run_until_idle()
    assert not ended.done()
    await bench.log.give_up()
    async with asyncio.timeout(5):
        await ended
    bench.log.add(EventCode.ENDED, "too late for the store")
    await bench.clock.advance(PUT_AFTER_S)
    assert EVENTS not in bench.store.objects


async def test_a_reader_waits_for_the_next_event() -> None:
    bench = Bench()
    bench.log.add(EventCode.STARTED, "it began")
    async with asyncio.timeout(5):
        await bench.log.wait(0, 1000)
    waiting = [asyncio.ensure_future(bench.log.wait(1, 1000)) for _ in range(3)]
    await run_until_idle()
    assert not any(task.done() for task in waiting)
    bench.log.add(EventCode.ENDED, "it ended")
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting)
    async with asyncio.timeout(5):
        await bench.log.wait(2, 0.01)


async def test_the_log_of_an_interrupted_broadcast_goes_on() -> None:
    event = Event(number=7, at=1.0, code="started", text="it began")
    bench = Bench(EventRecord(stream=STREAM, broadcast=BROADCAST, events=(event,), dropped=2))
    bench.log.add(EventCode.PUBLISHER_RETURNED, "it returned")
    await bench.log.finish()
    assert [event.number for event in bench.stored().events] == [7, 8]
    assert bench.stored().dropped == 2


async def test_a_newer_servers_record_can_be_read() -> None:
    bench = Bench()
    bench.log.add(EventCode.STARTED, "it began")
    await bench.log.finish()
    document = json.loads(bench.store.body(EVENTS))
    document["mood"] = "good"
    document["events"][0] |= {"code": "beamed-up", "severity": 3}
    assert codes(EventRecord.model_validate(document)) == ["beamed-up"]
