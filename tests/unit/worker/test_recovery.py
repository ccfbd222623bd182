"""A station that starts after a process died continues its broadcasts from their journals."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import m3u8
import pytest

from ingest.interface import EndReason
from live.status import StreamState
from media.names import RECORDING_PLAYLIST
from storage.interface import StoreMisconfigured
from storage.journals import Journals
from tests.unit.worker.stage import NEVER_CAME_BACK, STREAM, WINDOW_S, StationStage, send, status_of
from worker.journal import Journal
from worker.ledger import BroadcastLedger, Course, encode_ledger, read_journal


@pytest.fixture
async def journals(tmp_path: Path) -> AsyncIterator[Journals]:
    journals = Journals(tmp_path / "journals")
    yield journals
    await journals.close()


async def settled(condition: Callable[[], bool]) -> None:
    """Wait for the journal's thread."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def journaled(journals: Journals, seconds: int) -> tuple[StationStage, str, str]:
    """A process that dies after ``seconds`` of media; returns it, the key and the broadcast."""
    stage = StationStage(journals=journals)
    key = await stage.create()
    link = await stage.publish(key)
    assert link.session is not None
    await send(link.session, seconds)
    broadcast = await stage.broadcast()
    assert broadcast is not None
    file = journals.of(STREAM, broadcast)
    await settled(file.path.exists)

    async def segments() -> int:
        ledger, _ = read_journal(await file.read())
        return len(ledger.cuts)

    while await segments() < min(6, seconds // 2):
        await asyncio.sleep(0.005)
    return stage, key, broadcast


def recording(stage: StationStage, broadcast: str) -> m3u8.M3U8:
    return m3u8.loads(stage.store.text(f"live/{STREAM}/{broadcast}/vsource/{RECORDING_PLAYLIST}"))


async def test_a_returning_publisher_continues_the_broadcast(journals: Journals) -> None:
    died, key, broadcast = await journaled(journals, 7)
    stage = StationStage(journals=journals, after=died)
    await stage.station.recover()
    status = await status_of(stage.cluster)
    assert status is not None
    assert (status.broadcast, status.state) == (broadcast, StreamState.WAITING)
    await stage.clock.advance(3)
    link = await stage.publish(key)
    assert link.session is not None
    await send(link.session, 6)
    link.end(EndReason.UNPUBLISHED)
    await stage.station.close()
    found = recording(stage, broadcast)
    assert found.is_endlist
    numbers = [int((segment.uri or "").split(".")[0]) for segment in found.segments]
    assert numbers == list(range(1, len(numbers) + 1))
    # The fourth was open when the process died.
    assert [segment.gap_tag for segment in found.segments].index(True) == 3
    assert [segment.discontinuity for segment in found.segments].index(True) == 4
    assert await journals.names() == []
    (record,) = await stage.catalogue.list_broadcasts(STREAM)
    assert record.broadcast == broadcast


async def test_without_a_publisher_the_broadcast_ends_after_the_reconnect_window(journals: Journals) -> None:
    died, _, broadcast = await journaled(journals, 7)
    stage = StationStage(journals=journals, after=died)
    await stage.station.recover()
    await stage.clock.advance(WINDOW_S + 1)
    await stage.station.close()
    (record,) = await stage.catalogue.list_broadcasts(STREAM)
    assert (record.end_reason, record.duration_s > 6, record.bytes > 0) == (NEVER_CAME_BACK, True, True)
    assert recording(stage, broadcast).is_endlist
    assert await journals.names() == []


async def test_the_broadcast_of_a_deleted_stream_ends_at_once(journals: Journals) -> None:
    died, _, broadcast = await journaled(journals, 7)
    await died.catalogue.delete_stream(STREAM)
    stage = StationStage(journals=journals, after=died)
    await stage.station.recover()
    assert await status_of(stage.cluster) is None
    await stage.station.close()
    assert recording(stage, broadcast).is_endlist


async def test_a_broadcast_that_the_store_knows_nothing_of_is_continued(journals: Journals) -> None:
    died, _, broadcast = await journaled(journals, 7)
    await died.store.delete(f"catalogue/broadcasts/{STREAM}/{broadcast}.json")
    await died.store.delete(f"catalogue/events/{STREAM}/{broadcast}.json")
    stage = StationStage(journals=journals, after=died)
    await stage.station.recover()
    assert await stage.broadcast() == broadcast
    await stage.station.close()
    assert recording(stage, broadcast).is_endlist


async def test_a_broadcast_that_had_ended_is_completed_as_it_ended(journals: Journals) -> None:
    died, _, broadcast = await journaled(journals, 7)
    file = journals.of(STREAM, broadcast)
    ledger, course = read_journal(await file.read())
    ledger.interrupt()
    ledger.finish()
    journal = Journal(ledger, file, {})
    journal.course = Course(course.started_at, course.started_at + 7, "over", {"v360p": 1.0})
    await journal.close(delete=False)
    stage = StationStage(journals=journals, after=died)
    await stage.station.recover()
    await stage.station.close()
    (record,) = await stage.catalogue.list_broadcasts(STREAM)
    assert (record.end_reason, record.ended_at) == ("over", course.started_at + 7)
    assert record.missing_s == {"v360p": 1.0}
    assert await journals.names() == []


async def test_a_broadcast_older_than_the_newest_one_does_not_replace_it(journals: Journals) -> None:
    died, key, broadcast = await journaled(journals, 7)
    newer = StationStage(after=died)
    link = await newer.publish(key)
    assert link.session is not None
    await send(link.session, 7)
    link.end(EndReason.UNPUBLISHED)
    await newer.station.close()
    before = newer.store.text(f"live/{STREAM}/master.m3u8")
    stage = StationStage(journals=journals, after=died)
    await stage.station.recover()
    assert await status_of(stage.cluster) is None
    await stage.station.close()
    assert stage.store.text(f"live/{STREAM}/master.m3u8") == before
    assert recording(stage, broadcast).is_endlist


async def test_a_damaged_journal_is_kept_aside(journals: Journals) -> None:
    died, _, broadcast = await journaled(journals, 7)
    file = journals.of(STREAM, broadcast)
    file.path.write_bytes(b"damaged")
    stage = StationStage(journals=journals, after=died)
    await stage.station.recover()
    assert await status_of(stage.cluster) is None
    assert file.path.with_suffix(".damaged").read_bytes() == b"damaged"
    assert await journals.names() == []


async def test_a_journal_that_could_not_be_written_begins_again(journals: Journals, tmp_path: Path) -> None:
    ledger = BroadcastLedger(STREAM, "20261121t104105z-abc123", 1_700_000_000_000)
    file = journals.of(STREAM, ledger.broadcast)
    (tmp_path / "journals").write_text("a file")
    journal = Journal(ledger, file, {})
    journal.note(at_once=True)
    with pytest.raises(StoreMisconfigured):
        await file.begin(b"")
    (tmp_path / "journals").unlink()
    journal.note(at_once=True)
    await settled(file.path.exists)
    ledger.end = 5
    await journal.close(delete=False)
    read, _ = read_journal(await file.read())
    assert encode_ledger(read) == encode_ledger(ledger)
