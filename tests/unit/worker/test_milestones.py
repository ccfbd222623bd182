"""What the bus carries once for each broadcast: that it can be played, and that its recording is complete."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from ingest.interface import EndReason
from live.messages import BroadcastPlayable, BroadcastStored, Milestone
from live.topics import EVENTS, MILESTONES, BroadcastRef
from storage.journals import Journals
from tests.lab.waiting import run_until_idle
from tests.unit.worker.stage import STREAM, StationStage, send


@pytest.fixture
async def journals(tmp_path: Path) -> AsyncIterator[Journals]:
    journals = Journals(tmp_path / "journals")
    yield journals
    await journals.close()


def milestones(stage: StationStage) -> list[tuple[BroadcastRef, Milestone]]:
    """Grows."""
    seen: list[tuple[BroadcastRef, Milestone]] = []
    stage.bus.subscribe(MILESTONES, lambda ref, milestone: seen.append((ref, milestone)))
    return seen


async def ended(condition: Callable[[], object]) -> None:
    """Wait for the threads that render the end."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_broadcast_is_playable_once_and_its_recording_complete_once() -> None:
    stage = StationStage()
    seen, events = milestones(stage), list[str]()
    stage.bus.subscribe(EVENTS, lambda _, event: events.append(event.code))
    link = await stage.publish(await stage.create())
    broadcast = await stage.broadcast()
    assert link.session is not None and broadcast is not None
    await send(link.session, 1)
    assert seen == []
    await send(link.session, 6, start_s=1)
    assert seen == [((STREAM, broadcast), BroadcastPlayable())]
    stage.store.gate.clear()
    link.end(EndReason.UNPUBLISHED)
    await run_until_idle()
    assert len(seen) == 1
    stage.store.gate.set()
    await ended(lambda: len(seen) == 2)
    ref, stored = seen[1]
    assert isinstance(stored, BroadcastStored)
    (record,) = await stage.catalogue.list_broadcasts(STREAM)
    assert (ref, stored.record) == ((STREAM, broadcast), record)
    assert record.ended_at is not None and record.bytes > 0
    assert events == ["started", "ended"]
    await stage.station.close()


async def test_a_broadcast_without_media_has_no_recording() -> None:
    stage = StationStage()
    seen = milestones(stage)
    link = await stage.publish(await stage.create())
    link.end(EndReason.UNPUBLISHED)
    await stage.station.close()
    assert seen == []


async def test_a_broadcast_that_continues_after_a_crash_is_not_live_again(journals: Journals) -> None:
    died = StationStage(journals=journals)
    key = await died.create()
    link = await died.publish(key)
    assert link.session is not None
    await send(link.session, 7)
    broadcast = await died.broadcast()
    assert broadcast is not None
    await ended(journals.of(STREAM, broadcast).path.exists)
    stage = StationStage(journals=journals, after=died)
    seen = milestones(stage)
    await stage.station.recover()
    link = await stage.publish(key)
    assert link.session is not None
    await send(link.session, 6)
    assert seen == []
    link.end(EndReason.UNPUBLISHED)
    await stage.station.close()
    ((ref, stored),) = seen
    assert (ref.broadcast, type(stored)) == (broadcast, BroadcastStored)
