"""A child that dies is replaced at a keyframe after a back-off."""

import asyncio

from pytest import MonkeyPatch

from media.units import AccessUnit
from tests.lab.waiting import run_until_idle
from tests.unit.packager.recording import frame, video_config
from tests.unit.worker.fakes import FakeChild, FakeChildren, FakeClock, RecordingSink
from transcoder.errors import WorkerUnavailable
from transcoder.messages import Job
from worker.transcoding import FIRST_RETRY_S, LONGEST_RETRY_S, STABLE_AFTER_S, Transcoding

JOB = Job(video_config())
NO_MEMORY = WorkerUnavailable("no memory for a process")


class Bench:
    """A transcoding with a running first child."""

    def __init__(self) -> None:
        self.sink = RecordingSink()
        self.children = FakeChildren()
        self.clock = FakeClock()
        self.transcoding = Transcoding(
            self.sink, clock=self.clock.monotonic, start=self.children.start, sleep=self.clock.sleep
        )
        self.transcoding.begin(JOB)

    async def cut(self, *, key: bool = True) -> None:
        self.transcoding.cut(0, key=key)
        await run_until_idle()

    async def starts_again_after(self, seconds: float) -> bool:
        """Whether a keyframe starts a child after ``seconds`` and none just before."""
        attempts = self.children.attempts
        await self.clock.advance(seconds - 0.001)
        await self.cut()
        early = self.children.attempts > attempts
        await self.clock.advance(0.002)
        await self.cut()
        return not early and self.children.attempts == attempts + 1


async def test_a_child_that_died_is_replaced_after_the_back_off_at_the_next_keyframe() -> None:
    bench = Bench()
    await bench.cut()
    bench.children.last.die("it died of SIGKILL")
    assert bench.sink.deaths == ["it died of SIGKILL"]
    assert bench.transcoding.restarts == 1
    await bench.cut()
    await bench.clock.advance(FIRST_RETRY_S)
    await bench.cut(key=False)
    assert len(bench.children.started) == 1
    bench.transcoding.feed(frame(3000))
    await bench.cut()
    bench.transcoding.feed(frame(6000, key=True))
    assert len(bench.children.started) == 2
    assert bench.children.last.given == [0, frame(6000, key=True)]


async def test_the_back_off_doubles_up_to_its_maximum() -> None:
    bench = Bench()
    await bench.cut()
    delay = FIRST_RETRY_S
    while delay < LONGEST_RETRY_S:
        bench.children.last.die()
        assert await bench.starts_again_after(delay)
        delay *= 2
    for _ in range(2):
        bench.children.last.die()
        assert await bench.starts_again_after(LONGEST_RETRY_S)


async def test_a_child_that_lived_long_enough_resets_the_back_off() -> None:
    bench = Bench()
    await bench.cut()
    for delay in (FIRST_RETRY_S, 2 * FIRST_RETRY_S):
        bench.children.last.die()
        assert await bench.starts_again_after(delay)
    await bench.clock.advance(STABLE_AFTER_S + 1)
    bench.children.last.die()
    assert await bench.starts_again_after(FIRST_RETRY_S)


async def test_a_child_that_cannot_be_started_counts_as_dead() -> None:
    bench = Bench()
    bench.children.error = NO_MEMORY
    await bench.cut()
    assert bench.sink.deaths == ["it could not be started: no memory for a process"]
    assert bench.transcoding.restarts == 1
    bench.children.error = None
    assert await bench.starts_again_after(FIRST_RETRY_S)
    assert len(bench.children.started) == 1


async def test_the_back_off_doubles_while_no_child_can_be_started() -> None:
    bench = Bench()
    bench.children.error = NO_MEMORY
    await bench.cut()
    for delay in (FIRST_RETRY_S, 2 * FIRST_RETRY_S, 4 * FIRST_RETRY_S):
        assert await bench.starts_again_after(delay)


async def test_a_child_that_dies_while_it_starts_is_replaced() -> None:
    bench = Bench()
    bench.children.dies_at_once = True
    await bench.cut()
    assert bench.sink.deaths == ["it died of SIGSEGV"]
    assert await bench.starts_again_after(FIRST_RETRY_S)
    bench.children.dies_at_once = False
    assert await bench.starts_again_after(2 * FIRST_RETRY_S)
    bench.transcoding.feed(frame(3000))
    assert bench.children.last.given == [0, frame(3000)]
    assert len(bench.sink.deaths) == bench.transcoding.restarts == 2


async def test_an_unexpected_error_at_the_start_is_retried_and_reported() -> None:
    bench = Bench()
    bench.children.error = RuntimeError("the handler is closed")
    await bench.cut()
    assert bench.sink.deaths == ["it could not be started: RuntimeError('the handler is closed')"]
    bench.children.error = None
    assert await bench.starts_again_after(FIRST_RETRY_S)


async def test_a_child_that_does_not_take_what_waited_is_killed_and_replaced(monkeypatch: MonkeyPatch) -> None:
    def refuse(child: FakeChild, unit: AccessUnit) -> bool:
        raise RuntimeError("the pipe is closed")

    bench = Bench()
    bench.children.gate.clear()
    await bench.cut()
    bench.transcoding.feed(frame(3000))
    with monkeypatch.context() as patched:
        patched.setattr(FakeChild, "feed", refuse)
        bench.children.gate.set()
        await run_until_idle()
    assert bench.children.last.killed
    assert bench.sink.deaths == ["it could not be started: RuntimeError('the pipe is closed')"]
    assert await bench.starts_again_after(FIRST_RETRY_S)


async def test_a_back_off_that_ends_after_a_new_job_starts_no_second_child() -> None:
    bench = Bench()
    await bench.cut()
    bench.children.last.die()
    bench.transcoding.begin(JOB)
    await bench.cut()
    assert len(bench.children.started) == 2
    await bench.clock.advance(FIRST_RETRY_S)
    await bench.cut()
    assert len(bench.children.started) == 2


async def test_a_new_job_does_not_wait_for_the_back_off() -> None:
    bench = Bench()
    await bench.cut()
    bench.children.last.die()
    bench.transcoding.begin(JOB)
    await bench.cut()
    assert len(bench.children.started) == 2


async def test_the_death_of_a_retired_child_starts_no_back_off() -> None:
    bench = Bench()
    await bench.cut()
    old = bench.children.last
    bench.transcoding.begin(JOB)
    await bench.cut()
    old.die()
    assert bench.sink.deaths == []
    assert bench.transcoding.restarts == 0


async def test_a_retired_child_that_dies_before_the_next_starts_is_not_reported() -> None:
    bench = Bench()
    await bench.cut()
    bench.transcoding.begin(JOB)
    bench.children.last.die()
    assert bench.sink.deaths == []
    await bench.cut()
    assert len(bench.children.started) == 2


async def test_a_failed_older_start_leaves_the_newer_child_running() -> None:
    bench = Bench()
    opened = bench.children.gate
    slow = bench.children.gate = asyncio.Event()
    await bench.cut()
    bench.transcoding.begin(JOB)
    bench.children.gate = opened
    await bench.cut()
    bench.children.error = NO_MEMORY
    slow.set()
    await run_until_idle()
    assert bench.sink.deaths == []
    bench.transcoding.feed(frame(0, key=True))
    assert bench.children.last.given == [0, frame(0, key=True)]


async def test_nothing_starts_after_finish() -> None:
    bench = Bench()
    await bench.cut()
    bench.children.last.die()
    await asyncio.wait_for(bench.transcoding.finish(1), 1)
    await bench.clock.advance(LONGEST_RETRY_S)
    await bench.cut()
    assert bench.children.attempts == 1
