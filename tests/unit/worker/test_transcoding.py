"""When a child starts, what it receives, and which of its output is used."""

import asyncio
from dataclasses import replace

import pytest

from media.units import AccessUnit
from tests.lab.waiting import run_until_idle
from tests.unit.packager.recording import audio_config, frame, sound, video_config
from tests.unit.worker.fakes import FakeChildren, FakeClock, RecordingSink
from transcoder.ladder import Rendition
from transcoder.messages import AudioRung, Job
from worker.transcoding import Transcoding

VIDEO_JOB = Job(video_config())
OTHER_JOB = Job(video_config(), audio=audio_config(), audio_outputs=(AudioRung("a64k", 64_000),))
LADDER_JOB = Job(video_config(), (Rendition("v360p", 64, 64, 1, 1, 1, 1), Rendition("v180p", 32, 32, 1, 1, 1, 1)))
AUDIO_JOB = Job(None, audio=audio_config(), audio_outputs=(AudioRung("a128k", 128_000),))


class Bench:
    def __init__(self, job: Job = VIDEO_JOB) -> None:
        self.sink = RecordingSink()
        self.children = FakeChildren()
        clock = FakeClock()
        self.transcoding = Transcoding(
            self.sink, clock=clock.monotonic, start=self.children.start, sleep=clock.sleep
        )
        self.transcoding.begin(job)

    async def cut(self, pts: int = 0, *, key: bool = True) -> None:
        self.transcoding.cut(pts, key=key)
        await run_until_idle()


async def test_a_child_starts_at_the_first_cut_on_a_keyframe() -> None:
    bench = Bench()
    bench.transcoding.feed(frame(0, key=True))
    await run_until_idle()
    await bench.cut(3000, key=False)
    assert bench.children.attempts == 0
    await bench.cut(6000)
    bench.transcoding.feed(frame(6000, key=True))
    assert bench.children.last.job == VIDEO_JOB
    assert bench.children.last.given == [6000, frame(6000, key=True)]


async def test_without_video_a_child_starts_at_any_cut() -> None:
    bench = Bench(AUDIO_JOB)
    await bench.cut(key=False)
    assert bench.children.last.job == AUDIO_JOB


async def test_later_cuts_start_no_second_child() -> None:
    bench = Bench()
    await bench.cut(0)
    await bench.cut(180_000)
    await bench.cut(360_000, key=False)
    assert bench.children.attempts == 1
    assert bench.children.last.given == [0, 180_000, 360_000]


async def test_without_a_job_nothing_starts() -> None:
    bench = Bench()
    await bench.transcoding.finish(1)
    await bench.cut()
    bench.transcoding.feed(frame(0, key=True))
    assert bench.children.attempts == 0


async def test_units_fed_while_the_child_starts_are_kept_in_order() -> None:
    bench = Bench()
    bench.children.gate.clear()
    await bench.cut(0)
    given: list[AccessUnit] = [frame(0, key=True), sound(0), frame(3000), frame(6000)]
    for unit in given:
        bench.transcoding.feed(unit)
    bench.transcoding.cut(180_000, key=False)
    bench.transcoding.feed(frame(180_000))
    bench.children.gate.set()
    await run_until_idle()
    assert bench.children.last.given == [0, *given, 180_000, frame(180_000)]
    bench.transcoding.feed(frame(183_000))
    assert bench.children.last.given[-1] == frame(183_000)


async def test_units_waiting_for_a_child_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.transcoding.MAX_WAITING", 5)
    bench = Bench()
    bench.children.gate.clear()
    await bench.cut(0)
    for index in range(10):
        bench.transcoding.feed(frame(index * 3000, key=index == 0))
    bench.children.gate.set()
    await run_until_idle()
    assert len(bench.children.last.given) == 5


async def test_the_childs_output_reaches_the_sink() -> None:
    bench = Bench()
    await bench.cut()
    child = bench.children.last
    child.produce_config("v360p", video_config())
    child.produce("v360p", frame(0, key=True))
    child.decoded(0, 123)
    assert bench.sink.configs == [("v360p", video_config())]
    assert bench.sink.units == [("v360p", frame(0, key=True))]
    assert bench.sink.decoded == [(0, 123)]


async def test_video_that_a_child_does_not_take_is_counted() -> None:
    bench = Bench(OTHER_JOB)
    await bench.cut()
    child = bench.children.last
    for keeps_up in (True, False, False, True):
        child.keeps_up = keeps_up
        bench.transcoding.feed(frame(0))
        bench.transcoding.feed(sound(0))
    assert bench.transcoding.dropped == 2


async def test_a_new_job_retires_the_running_child() -> None:
    bench = Bench()
    await bench.cut(0)
    old = bench.children.last
    bench.transcoding.begin(OTHER_JOB)
    await asyncio.wait_for(old.finishing.wait(), 1)
    bench.transcoding.feed(frame(3000))
    assert old.given == [0]
    await bench.cut(180_000)
    assert bench.children.last.job == OTHER_JOB
    assert bench.children.last.given == [180_000]
    old.drained.set()
    await run_until_idle()
    assert bench.sink.deaths == []


async def test_a_child_that_starts_after_a_newer_job_is_killed() -> None:
    bench = Bench()
    bench.children.gate.clear()
    await bench.cut(0)
    bench.transcoding.begin(OTHER_JOB)
    await bench.cut(180_000)
    bench.children.gate.set()
    await run_until_idle()
    first, second = bench.children.started
    assert (first.killed, first.given) == (True, [])
    assert (second.killed, second.given) == (False, [180_000])


async def test_a_retired_childs_output_is_used_until_the_new_child_produces_for_that_track() -> None:
    bench = Bench()
    await bench.cut(0)
    old = bench.children.last
    bench.transcoding.begin(OTHER_JOB)
    await bench.cut(180_000)
    new = bench.children.last
    old.produce("v360p", frame(0))
    new.produce("v360p", frame(180_000))
    old.produce("v360p", frame(3000))
    old.produce_config("v360p", video_config())
    old.produce("v240p", frame(6000))
    assert bench.sink.units == [("v360p", frame(0)), ("v360p", frame(180_000)), ("v240p", frame(6000))]
    assert bench.sink.configs == []


async def test_finish_drains_the_child() -> None:
    bench = Bench()
    await bench.cut(0)
    child = bench.children.last
    finishing = asyncio.create_task(bench.transcoding.finish(10))
    await asyncio.wait_for(child.finishing.wait(), 1)
    child.produce("v360p", frame(0))
    assert not finishing.done()
    child.drained.set()
    await asyncio.wait_for(finishing, 1)
    assert bench.sink.units == [("v360p", frame(0))]
    assert bench.sink.deaths == []
    await bench.cut(180_000)
    assert bench.children.attempts == 1


async def test_finish_waits_for_a_retired_childs_remaining_output() -> None:
    bench = Bench()
    await bench.cut(0)
    retired = bench.children.last
    bench.transcoding.begin(OTHER_JOB)
    finishing = asyncio.create_task(bench.transcoding.finish(10))
    await asyncio.wait_for(retired.finishing.wait(), 1)
    await run_until_idle()
    assert not finishing.done()
    retired.produce("v360p", frame(0))
    retired.drained.set()
    await asyncio.wait_for(finishing, 1)
    assert bench.sink.units == [("v360p", frame(0))]


async def test_with_history_a_child_starts_between_keyframes() -> None:
    bench = Bench()
    history = [frame(0, key=True), frame(3000)]
    bench.transcoding.begin(VIDEO_JOB, history)
    bench.children.gate.clear()
    await bench.cut(6000, key=False)
    bench.transcoding.feed(frame(6000))
    bench.children.gate.set()
    await run_until_idle()
    assert bench.children.last.given == [6000, *history, frame(6000)]
    assert bench.children.last.prerolled == 2
    bench.children.last.die()
    await bench.cut(9000, key=False)
    assert bench.children.attempts == 1


async def test_the_end_waits_for_a_child_that_is_starting() -> None:
    bench = Bench()
    bench.children.gate.clear()
    await bench.cut(0)
    bench.transcoding.feed(frame(0, key=True))
    finishing = asyncio.create_task(bench.transcoding.finish(1))
    await run_until_idle()
    bench.children.gate.set()
    await run_until_idle()
    child = bench.children.last
    assert child.given == [0, frame(0, key=True)]
    child.drained.set()
    await finishing


async def test_a_selection_is_passed_on_and_kept_for_the_next_child() -> None:
    bench = Bench(LADDER_JOB)
    await bench.cut()
    bench.transcoding.select(frozenset({"v180p"}))
    assert bench.children.last.selected == [{"v180p"}]
    assert bench.sink.stopped == []
    bench.children.last.stopped("v360p")
    assert bench.sink.stopped == ["v360p"]
    bench.children.last.die()
    await run_until_idle()
    assert bench.sink.stopped == ["v360p", "v360p"]
    bench.transcoding.begin(replace(LADDER_JOB, off=frozenset({"v360p"})))
    await bench.cut()
    assert bench.children.last.job.selected == {"v180p"}


async def test_a_selection_reaches_a_child_that_starts() -> None:
    bench = Bench(LADDER_JOB)
    bench.children.gate.clear()
    await bench.cut()
    bench.transcoding.select(frozenset({"v180p"}))
    bench.children.gate.set()
    await run_until_idle()
    assert bench.children.last.selected == [{"v180p"}]


async def test_a_rung_that_is_selected_again_before_it_stopped_goes_on() -> None:
    bench = Bench(LADDER_JOB)
    await bench.cut()
    bench.transcoding.select(frozenset({"v180p"}))
    bench.transcoding.select(frozenset({"v180p", "v360p"}))
    bench.children.last.stopped("v360p")
    assert bench.sink.stopped == []


async def test_no_child_starts_for_rungs_that_are_all_off() -> None:
    bench = Bench(replace(LADDER_JOB, off=LADDER_JOB.selected))
    assert bench.sink.stopped == ["v180p", "v360p"]
    await bench.cut()
    assert bench.children.attempts == 0
    bench.transcoding.select(frozenset({"v180p"}))
    await bench.cut(180_000)
    assert bench.children.last.job.selected == {"v180p"}


async def test_how_far_encoding_is_behind_is_what_the_child_reports() -> None:
    bench = Bench(LADDER_JOB)
    assert bench.transcoding.behind_s == 0
    await bench.cut()
    bench.children.last.behind = 180_000
    assert bench.transcoding.behind_s == 2
    bench.children.last.die()
    assert bench.transcoding.behind_s == 0
