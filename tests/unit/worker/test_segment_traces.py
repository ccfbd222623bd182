"""The way of a segment, as its trace has it, with real tracks and a store in memory."""

import asyncio
from pathlib import Path

import pytest

from live.topics import BroadcastRef
from storage.backlog import Backlog
from storage.interface import StorageError, StoreUnavailable
from storage.spool import Spool
from telemetry.timeline import Timeline
from tests.lab.waiting import run_until_idle
from tests.unit.packager.recording import ZERO_MS
from tests.unit.worker.test_recorder import BROADCAST, PREFIX, STREAM, Bench
from worker import segment_traces
from worker.recorder import Recorder, RecorderOptions
from worker.segment_traces import SegmentTraces

SECOND = 1_000_000_000


class Record:
    def __init__(self, *, share: float = 1.0) -> None:
        self.timelines: list[Timeline] = []
        self.share = share

    def samples(self) -> bool:
        return self.share > 0

    def record(self, timeline: Timeline) -> None:
        self.timelines.append(timeline)

    def of(self, track: str) -> list[Timeline]:
        return [each for each in self.timelines if each.attributes["headwater.track"] == track]


class Stage(Bench):
    """A bench whose segments are traced. The clock goes on by a second at each look."""

    def __init__(self, *, share: float = 1.0, backlog: Backlog | None = None, age_ns: int | None = None) -> None:
        super().__init__(announce=False)
        self.record = Record(share=share)
        self.now = 1_000 * SECOND
        options = RecorderOptions()
        ledger = options.new_ledger(STREAM, BROADCAST, ZERO_MS)
        self.traces = SegmentTraces(
            BroadcastRef(STREAM, BROADCAST),
            self.record,
            last_listed=lambda track: max((entry.msn for entry in ledger.listed(ledger.tracks[track])), default=-1),
            source_age_ns=lambda track, pts: age_ns if track == "vsource" else None,
            unix_ns=self.tick,
        )
        self.recorder = Recorder(
            ledger,
            bus=self.bus,
            store=self.store,
            observer=self.observer,
            clock=lambda: ZERO_MS / 1000 + 100,
            options=options,
            backlog=backlog,
            traces=self.traces,
        )
        self.announce()

    def tick(self) -> int:
        self.now += SECOND
        return self.now


async def test_a_segment_is_followed_until_the_stored_playlist_names_it() -> None:
    stage = Stage()
    await stage.feed(5)
    first, second = stage.record.of("vsource")
    assert first.name == "segment" and first.failed is None
    attributes = dict(first.attributes)
    assert attributes.pop("headwater.bytes") == len(stage.store.objects[f"{PREFIX}/vsource/1.m4s"].body)
    assert attributes == {
        "headwater.stream": STREAM,
        "headwater.broadcast": BROADCAST,
        "headwater.track": "vsource",
        "headwater.msn": 1,
        "headwater.uploads": 1,
        "headwater.outcome": "listed",
    }
    assert second.attributes["headwater.msn"] == 2
    assert [step.name for step in first.steps] == ["package", "upload", "list"]
    assert first.began_ns == first.steps[0].began_ns and first.ended_ns == first.steps[-1].ended_ns
    for step, following in zip(first.steps, first.steps[1:], strict=False):
        assert step.began_ns < step.ended_ns == following.began_ns
    assert [moment.name for moment in first.moments] == ["first part published"]


async def test_an_encoded_segment_begins_when_its_source_was_received() -> None:
    stage = Stage(age_ns=7 * SECOND)
    await stage.feed(5)
    first = stage.record.of("vsource")[0]
    encode, package, *_ = first.steps
    assert encode.name == "encode" and encode.began_ns == first.began_ns
    assert first.began_ns == first.moments[0].at_ns - 7 * SECOND
    assert encode.ended_ns == package.began_ns
    assert [step.name for step in stage.record.of("asource")[0].steps] == ["package", "upload", "list"]


async def test_without_its_turn_a_segment_is_not_followed() -> None:
    stage = Stage(share=0)
    await stage.feed(5)
    await stage.end()
    assert stage.record.timelines == [] and stage.now == 1_000 * SECOND


async def test_a_segment_waits_for_the_playlist_that_names_it() -> None:
    """Segment 2 is stored before segment 1, and while a playlist is on its way."""
    stage = Stage()
    held = f"{PREFIX}/vsource/1.m4s"
    stage.store.hold[held] = asyncio.Event()
    await stage.feed(7)
    assert f"{PREFIX}/vsource/2.m4s" in stage.store.objects and stage.record.of("vsource") == []
    playlist = f"{PREFIX}/vsource/media.m3u8"
    stage.store.hold[playlist] = asyncio.Event()
    stage.store.hold[held].set()
    await run_until_idle()
    assert stage.record.of("vsource") == []
    stage.store.hold[playlist].set()
    await run_until_idle()
    assert [each.attributes["headwater.msn"] for each in stage.record.of("vsource")] == [1, 2, 3]


async def test_failed_attempts_and_the_spool_are_moments(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", max_bytes=2**20)
    await spool.open()
    stage = Stage(backlog=Backlog(2**20, spool))
    key = f"{PREFIX}/vsource/1.m4s"
    failures: list[StorageError] = [StoreUnavailable("the store at 192.0.2.1 is away")]
    put = stage.store.put

    async def failing(name: str, body: bytes) -> object:
        if name == key and failures:
            raise failures.pop()
        return await put(name, body)

    stage.store.put = failing  # type: ignore[method-assign, assignment]
    await stage.feed(5)
    await stage.end()
    await spool.close()
    first = next(each for each in stage.record.of("vsource") if each.attributes["headwater.msn"] == 1)
    assert first.attributes["headwater.uploads"] == 2 and first.attributes["headwater.outcome"] == "listed"
    assert {moment.name for moment in first.moments} == {"first part published", "upload failed", "spooled"}
    assert "192.0.2.1" not in str(stage.record.timelines)


async def test_a_segment_that_is_lost_has_the_reason() -> None:
    stage = Stage()
    await stage.feed(3)
    stage.traces.lost(f"{PREFIX}/vsource/2.m4s", "too-slow")
    (lost,) = (each for each in stage.record.of("vsource") if each.failed is not None)
    assert (lost.failed, lost.attributes["headwater.outcome"]) == ("too-slow", "lost")


async def test_the_end_of_the_broadcast_ends_every_trace() -> None:
    stage = Stage()
    await stage.feed(5)
    await stage.end()
    made = {track: msn for track, msn in stage.observer.made}
    assert {track: len(stage.record.of(track)) for track in made} == made
    assert {each.attributes["headwater.outcome"] for each in stage.record.timelines} == {"listed"}


async def test_while_the_store_is_away_the_number_of_followed_segments_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(segment_traces, "MOST_SEGMENTS", 2)
    stage = Stage()
    for number in range(1, 9):
        stage.store.hold[f"{PREFIX}/vsource/{number}.m4s"] = asyncio.Event()
        stage.store.hold[f"{PREFIX}/asource/{number}.m4s"] = asyncio.Event()
    await stage.feed(9)
    assert {each.attributes["headwater.outcome"] for each in stage.record.timelines} == {"unfinished"}
    assert len(stage.record.timelines) >= len(stage.observer.made) - 2
    for gate in stage.store.hold.values():
        gate.set()
    await stage.end()
