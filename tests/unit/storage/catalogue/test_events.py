"""The stored event logs of broadcasts."""

import asyncio
import re
from pathlib import Path

import pytest

from storage.catalogue import BroadcastNotFound, Catalogue
from storage.catalogue.events import Event, EventCode, EventRecord, events_object
from storage.catalogue.records import BroadcastRecord
from storage.documents import encode_document
from storage.interface import StoreUnavailable
from tests.lab.memory_store import MemoryStore

DOCUMENTED = (Path(__file__).parents[4] / "docs" / "events.md").read_text()
STREAM, BROADCAST = "studio-a", "20261121t104105z-ab12cd"
RECORD = EventRecord(
    stream=STREAM,
    broadcast=BROADCAST,
    events=tuple(Event(number=number, at=5.0, code="discontinuity", text="a hole") for number in (2, 3, 5)),
    dropped=2,
    complete=True,
)


def test_every_code_is_documented_and_no_other() -> None:
    codes = re.findall(r"^\| (`.*`) \| .* \| .* \|$", DOCUMENTED, re.MULTILINE)
    assert re.findall(r"`([a-z-]+)`", " ".join(codes)) == list(EventCode)


async def test_a_log_is_found() -> None:
    store = MemoryStore()
    await store.put(events_object(STREAM, BROADCAST), encode_document(RECORD))
    assert await Catalogue(store).find_events(STREAM, BROADCAST) == RECORD


def test_a_part_of_a_log() -> None:
    assert [event.number for event in RECORD.after(2, 1).events] == [3]
    assert [event.number for event in RECORD.after(3, 100).events] == [5]
    assert RECORD.after(5, 100).events == ()
    assert (RECORD.after(5, 100).dropped, RECORD.after(5, 100).complete) == (2, True)


@pytest.mark.parametrize(("ended_at", "complete"), [(None, False), (61.0, True)])
async def test_a_broadcast_from_before_there_were_logs_has_no_events(
    ended_at: float | None, complete: bool
) -> None:
    catalogue = Catalogue(MemoryStore())
    await catalogue.create_stream(STREAM, now=1.0)
    await catalogue.put_broadcast(
        BroadcastRecord(stream=STREAM, broadcast=BROADCAST, started_at=1.0, ended_at=ended_at)
    )
    found = await catalogue.find_events(STREAM, BROADCAST)
    assert found == EventRecord(stream=STREAM, broadcast=BROADCAST, complete=complete)


@pytest.mark.parametrize(
    ("stream", "broadcast"),
    [
        (STREAM, BROADCAST),
        ("../keys", BROADCAST),
        (STREAM, "../../keys/x"),
        (STREAM, ""),
        (STREAM, BROADCAST + "\n"),
        (STREAM, "x" * 10_000),
    ],
)
async def test_no_broadcast(stream: str, broadcast: str) -> None:
    with pytest.raises(BroadcastNotFound) as caught:
        await Catalogue(MemoryStore()).find_events(stream, broadcast)
    assert len(str(caught.value)) < 200


async def test_a_store_that_hangs_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.catalogue.catalogue.LONGEST_ANSWER_S", 0.01)
    store = MemoryStore()
    store.hanging = asyncio.Event()
    with pytest.raises(StoreUnavailable):
        await Catalogue(store).find_events(STREAM, BROADCAST)
