"""The transcoder's parent side, with a real child process and real pipes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine

import pytest
import uvloop
from pytest import MonkeyPatch

from media.configs import TrackConfig
from media.units import AccessUnit
from tests.unit.transcoder.running import rung
from tests.unit.transcoder.sources import AudioSource, VideoSource, audio, beep, video
from transcoder.client import DEFAULT_LIMITS, DEFAULT_PATIENCE, Transcoder, TranscoderEnd, TranscoderEndReason
from transcoder.errors import EncoderUnavailable
from transcoder.heartbeat import Patience
from transcoder.limits import WorkerLimits
from transcoder.messages import AudioRung, Encoded, Finish, Job, Message, Start, Unit
from transcoder.options import Encoder, Preset, TranscodeOptions, check_encoder
from transcoder.outbox import OutboxLimits
from transcoder.protocol import MessageReader, encode
from transcoder.spawn import worker_command, worker_environment

TIMEOUT_S = 30.0
FAST = TranscodeOptions(preset=Preset.ULTRAFAST)
RUNGS = (rung("v180p", 240, 180), rung("v96p", 128, 96))


class CallbackRecorder:
    """Records the parent's callbacks."""

    def __init__(self) -> None:
        self.configs: dict[str, TrackConfig] = {}
        self.units: dict[str, list[AccessUnit]] = {}
        self.ends: list[TranscoderEnd] = []
        self.ended = asyncio.Event()
        self.first_unit = asyncio.Event()

    def ready(self, track: str, config: TrackConfig) -> None:
        self.configs[track] = config

    def unit(self, track: str, unit: AccessUnit) -> None:
        assert track in self.configs
        assert not self.ends
        self.units.setdefault(track, []).append(unit)
        self.first_unit.set()

    def end(self, end: TranscoderEnd) -> None:
        self.ends.append(end)
        self.ended.set()

    async def start(
        self, job: Job, limits: OutboxLimits = DEFAULT_LIMITS, patience: Patience = DEFAULT_PATIENCE
    ) -> Transcoder:
        return await Transcoder.start(
            job,
            on_ready=self.ready,
            on_unit=self.unit,
            on_end=self.end,
            limits=limits,
            patience=patience,
        )

    async def wait_for(self, event: asyncio.Event) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await event.wait()


@pytest.fixture(scope="module")
def source() -> VideoSource:
    return video(frames=60, keyframe_every=15)


@pytest.fixture(scope="module")
def sound() -> AudioSource:
    return audio(beep(48_000, 48_000, [12_000]))


async def test_finish_returns_all_units(source: VideoSource, sound: AudioSource) -> None:
    recorder = CallbackRecorder()
    job = Job(source.config, RUNGS, sound.config, (AudioRung("a64k", 64_000),), FAST)
    transcoder = await recorder.start(job)
    for unit in source.units:
        if unit.key:
            transcoder.cut(unit.pts)
        assert transcoder.feed(unit)
    for unit in sound.units:
        assert transcoder.feed(unit)
    await transcoder.finish(TIMEOUT_S)
    assert [end.reason for end in recorder.ends] == [TranscoderEndReason.FINISHED]
    assert transcoder.end == recorder.ends[0]
    times = [unit.pts for unit in source.units]
    keys = [unit.pts for unit in source.units if unit.key]
    for track in ("v180p", "v96p"):
        assert [unit.pts for unit in recorder.units[track]] == times
        assert [unit.pts for unit in recorder.units[track] if unit.key] == keys
    assert len(recorder.units["a64k"]) >= len(sound.units)
    assert (transcoder.dropped_video, transcoder.dropped_audio, transcoder.backlog) == (0, 0, 0)
    assert not transcoder.feed(source.units[0])
    await transcoder.finish(TIMEOUT_S)
    transcoder.kill()
    assert len(recorder.ends) == 1


async def test_killed_child_gives_one_end_with_a_code(source: VideoSource) -> None:
    recorder = CallbackRecorder()
    transcoder = await recorder.start(Job(source.config, RUNGS, options=FAST))
    for unit in source.units:
        transcoder.feed(unit)
    await recorder.wait_for(recorder.first_unit)
    assert transcoder.pid is not None
    os.kill(transcoder.pid, signal.SIGKILL)
    await recorder.wait_for(recorder.ended)
    assert [(end.reason, end.code) for end in recorder.ends] == [
        (TranscoderEndReason.CRASHED, "transcoder-crashed")
    ]
    assert "SIGKILL" in recorder.ends[0].text
    assert not transcoder.feed(source.units[0])
    transcoder.cut(0)
    transcoder.kill()
    await transcoder.finish(TIMEOUT_S)
    assert len(recorder.ends) == 1


async def test_kill_ends_as_killed(source: VideoSource) -> None:
    recorder = CallbackRecorder()
    transcoder = await recorder.start(Job(source.config, RUNGS, options=FAST))
    transcoder.kill()
    await recorder.wait_for(recorder.ended)
    assert [end.reason for end in recorder.ends] == [TranscoderEndReason.KILLED]


async def test_hanging_child_drops_units_and_continues_at_the_next_cut(source: VideoSource) -> None:
    recorder = CallbackRecorder()
    limits = OutboxLimits(units=20)
    transcoder = await recorder.start(Job(source.config, RUNGS, options=FAST), limits)
    transcoder.feed(source.units[0])
    await recorder.wait_for(recorder.first_unit)
    assert transcoder.pid is not None
    os.kill(transcoder.pid, signal.SIGSTOP)
    # Large units fill the pipe and the transport's buffer, which are not limited by a number of units.
    large = source.units[1]._replace(payload=bytes(100_000))
    fed = [transcoder.feed(large._replace(dts=large.dts + n)) for n in range(200)]
    assert not all(fed)
    assert transcoder.backlog <= limits.units
    assert transcoder.dropped_video == fed.count(False)
    os.kill(transcoder.pid, signal.SIGCONT)
    shift = 900_000
    later = [unit._replace(dts=unit.dts + shift) for unit in source.units]
    while transcoder.backlog:
        await asyncio.sleep(0.01)
    assert not transcoder.feed(later[0])
    transcoder.cut(later[15].pts)
    assert all([transcoder.feed(unit) for unit in later[15:30]])
    await transcoder.finish(TIMEOUT_S)
    assert recorder.ends[0].reason is TranscoderEndReason.FINISHED
    for track in ("v180p", "v96p"):
        tail = [unit for unit in recorder.units[track] if unit.pts >= shift]
        assert [unit.pts for unit in tail] == [unit.pts for unit in later[15:30]]
        assert [unit.pts for unit in tail if unit.key] == [later[15].pts]


async def test_child_that_does_not_finish_in_time_is_killed(source: VideoSource) -> None:
    recorder = CallbackRecorder()
    transcoder = await recorder.start(Job(source.config, RUNGS, options=FAST))
    transcoder.feed(source.units[0])
    await recorder.wait_for(recorder.first_unit)
    assert transcoder.pid is not None
    os.kill(transcoder.pid, signal.SIGSTOP)
    await transcoder.finish(0.05)
    assert [end.reason for end in recorder.ends] == [TranscoderEndReason.KILLED]


async def test_a_child_that_hangs_is_killed_with_its_group(source: VideoSource) -> None:
    recorder = CallbackRecorder()
    patience = Patience(later=20, tick_s=0.1)
    transcoder = await recorder.start(Job(source.config, RUNGS, options=FAST), patience=patience)
    transcoder.feed(source.units[0])
    await recorder.wait_for(recorder.first_unit)
    assert transcoder.pid is not None
    os.kill(transcoder.pid, signal.SIGSTOP)
    await recorder.wait_for(recorder.ended)
    assert [(end.reason, end.code) for end in recorder.ends] == [(TranscoderEndReason.HUNG, "transcoder-hung")]
    assert "hung: it sent nothing for 2 s" in recorder.ends[0].text


async def test_a_child_that_hangs_at_its_start_is_killed(source: VideoSource, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr("transcoder.child.worker_command", lambda module, limits: ["sleep", "1000"])
    recorder = CallbackRecorder()
    await recorder.start(Job(source.config, RUNGS), patience=Patience(start=3, tick_s=0.01))
    await recorder.wait_for(recorder.ended)
    assert [end.reason for end in recorder.ends] == [TranscoderEndReason.HUNG]


async def test_an_idle_child_reports_that_it_works(source: VideoSource) -> None:
    recorder = CallbackRecorder()
    transcoder = await recorder.start(Job(source.config, RUNGS, options=FAST))
    transcoder.feed(source.units[0])
    await recorder.wait_for(recorder.first_unit)
    reports = {id(transcoder.progress): transcoder.progress}
    async with asyncio.timeout(TIMEOUT_S):
        while len(reports) < 4:
            await asyncio.sleep(0.05)
            reports[id(transcoder.progress)] = transcoder.progress
    assert not recorder.ends
    transcoder.kill()
    await recorder.wait_for(recorder.ended)


@pytest.mark.parametrize("command", ["true", "false"])
async def test_a_child_that_dies_at_once_has_one_end(
    source: VideoSource, monkeypatch: MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("transcoder.child.worker_command", lambda module, limits: [command])
    for _ in range(20):
        recorder = CallbackRecorder()
        starting = asyncio.create_task(recorder.start(Job(source.config, RUNGS)))
        await asyncio.sleep(0)
        # The process ends before the loop sees that it has begun.
        time.sleep(0.02)
        transcoder = await starting
        for unit in source.units:
            transcoder.feed(unit)
        await recorder.wait_for(recorder.ended)
        assert [end.reason for end in recorder.ends] == [TranscoderEndReason.CRASHED]
        assert transcoder.end == recorder.ends[0]


async def test_impossible_job_fails_with_a_reason(source: VideoSource) -> None:
    recorder = CallbackRecorder()
    await recorder.start(Job(source.config, (rung("v", 20_000, 20_000),), options=FAST))
    await recorder.wait_for(recorder.ended)
    (end,) = recorder.ends
    assert (end.reason, end.code) == (TranscoderEndReason.FAILED, "encoder-unavailable")
    assert "20000x20000" in end.text


async def test_failing_callback_does_not_stop_the_transcoder(source: VideoSource) -> None:
    recorder = CallbackRecorder()
    seen = []

    def fail(track: str, unit: AccessUnit) -> None:
        seen.append(unit)
        if len(seen) == 1:
            raise RuntimeError("a bug in the parent")

    transcoder = await Transcoder.start(
        Job(source.config, RUNGS[:1], options=FAST), on_ready=recorder.ready, on_unit=fail, on_end=recorder.end
    )
    for unit in source.units:
        transcoder.feed(unit)
    await transcoder.finish(TIMEOUT_S)
    assert len(seen) == 60
    assert recorder.ends[0].reason is TranscoderEndReason.FINISHED


@pytest.mark.parametrize(
    "scenario",
    [
        test_killed_child_gives_one_end_with_a_code,
        test_kill_ends_as_killed,
        test_hanging_child_drops_units_and_continues_at_the_next_cut,
        test_child_that_does_not_finish_in_time_is_killed,
        test_a_child_that_hangs_is_killed_with_its_group,
        test_impossible_job_fails_with_a_reason,
        test_failing_callback_does_not_stop_the_transcoder,
    ],
)
def test_scenarios_work_on_uvloop(
    scenario: Callable[[VideoSource], Coroutine[None, None, None]], source: VideoSource
) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario(source))


@pytest.mark.parametrize("command", ["true", "false"])
def test_a_child_that_dies_at_once_has_one_end_on_uvloop(
    source: VideoSource, monkeypatch: MonkeyPatch, command: str
) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test_a_child_that_dies_at_once_has_one_end(source, monkeypatch, command))


def run_child(data: bytes, cwd: str | None = None) -> tuple[int, list[Message]]:
    """Run a child with ``data`` as its input; return its exit status and the messages that it sent."""
    result = subprocess.run(
        worker_command("transcoder.worker", WorkerLimits()),
        input=data,
        env=worker_environment(),
        capture_output=True,
        timeout=TIMEOUT_S,
        cwd=cwd,
        check=False,
    )
    reader = MessageReader()
    reader.receive_data(result.stdout)
    return result.returncode, list(reader.messages())


def test_child_exits_when_its_parent_is_gone(source: VideoSource) -> None:
    start = encode(Start(Job(source.config, RUNGS, options=FAST)))
    code, messages = run_child(start + b"".join(encode(Unit(unit)) for unit in source.units))
    assert code == 1
    assert any(isinstance(message, Encoded) for message in messages)


def test_child_rejects_garbage_with_a_failure_message() -> None:
    code, messages = run_child(b"\xff" * 100)
    assert code == 1
    assert [getattr(message, "code", None) for message in messages] == ["transcoder-protocol"]


def test_child_runs_from_any_directory(source: VideoSource, tmp_path: object) -> None:
    with open(f"{tmp_path}/av.py", "w") as stray:
        stray.write("raise SystemExit('the wrong av')")
    start = encode(Start(Job(source.config, RUNGS, options=FAST)))
    code, _ = run_child(start + encode(Finish()), cwd=str(tmp_path))
    assert code == 0


def test_child_does_not_import_slow_modules() -> None:
    """The child's start-up time delays the first frame."""
    program = (
        "import sys, transcoder.worker.__main__\n"
        "print(*({'asyncio', 'pydantic', 'structlog', 'numpy', 'email'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=worker_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    assert result.stdout.split() == []


def test_check_encoder_accepts_a_working_encoder() -> None:
    check_encoder(FAST)


@pytest.mark.skipif(os.path.exists("/dev/nvidia0"), reason="this machine has the hardware")
def test_check_encoder_names_the_missing_hardware() -> None:
    with pytest.raises(EncoderUnavailable, match=r"h264_nvenc.*NVIDIA.*libx264"):
        check_encoder(TranscodeOptions(encoder=Encoder.NVENC))
