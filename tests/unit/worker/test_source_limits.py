"""The bytes of a source are limited while it waits to begin, and in each segment."""

from dataclasses import replace

import pytest

from live.bus import Bus
from media.errors import TooMuchMedia
from media.units import VIDEO_TIMESCALE as S
from media.units import AccessUnit, Kind
from telemetry.metrics import Metrics
from tests.lab.memory_store import MemoryStore
from tests.lab.waiting import run_until_idle
from tests.unit.packager.recording import ZERO_MS, audio_config, video_config
from tests.unit.worker.fakes import FakeChildren, RecordingSink
from tests.unit.worker.stage import BROADCAST, STREAM, passthrough
from transcoder.messages import Job
from worker.broadcast import Broadcast
from worker.broadcast_options import MIB, SourceLimits
from worker.recorder import Recorder, RecorderOptions
from worker.still_picture import MAX_BYTES
from worker.transcoding import MAX_RETIRING, MAX_WAITING_BYTES, Transcoding

LIMITS = SourceLimits(start_bytes=4 * MIB, segment_bytes=8 * MIB)


def broadcast(limits: SourceLimits = LIMITS) -> Broadcast:
    options = RecorderOptions()
    recorder = Recorder(
        options.new_ledger(STREAM, BROADCAST, ZERO_MS),
        bus=Bus(),
        store=MemoryStore(),
        observer=Metrics().of_stream(STREAM),
        clock=lambda: ZERO_MS / 1000,
        options=options,
    )
    made = Broadcast(
        recorder,
        replace(passthrough(), limits=limits),
        clock=lambda: 0.0,
        unix_ns=lambda: ZERO_MS * 1_000_000,
        on_keyframe=lambda config, unit: None,
    )
    made.attach()
    made.on_metadata({"videocodecid": 7.0})
    made.on_config(video_config())
    return made


def frame(dts: int, size: int, *, key: bool = False) -> AccessUnit:
    return AccessUnit(Kind.VIDEO, dts, 0, key, bytes(size))


async def test_a_source_that_never_begins_is_limited_in_bytes() -> None:
    made = broadcast()
    for number in range(4):
        made.on_unit(frame(number, MIB))
    with pytest.raises(TooMuchMedia, match="4 MiB of media arrived before the broadcast began"):
        made.on_unit(frame(4, MIB))


@pytest.mark.parametrize("interval", [1, S // 30])
async def test_a_segment_is_limited_in_bytes(interval: int) -> None:
    made = broadcast()
    for number in range(10):
        made.on_unit(frame(number * S // 30, 1000, key=number == 0))
    last = 9 * S // 30
    for number in range(7):
        made.on_unit(frame(last + (1 + number) * interval, MIB))
    with pytest.raises(TooMuchMedia, match="8 MiB of media arrived without a keyframe"):
        made.on_unit(frame(last + 9 * interval, MIB))
    made.detach()
    made.attach()


async def test_segments_of_a_source_within_the_limit_go_on() -> None:
    made = broadcast()
    for number in range(100):
        made.on_unit(frame(number * S // 10, MIB // 4, key=number % 20 == 0))
    await made.finish(1.0)


async def test_sound_without_end_is_limited_in_bytes() -> None:
    made = broadcast()
    made.on_config(audio_config())
    for number in range(10):
        made.on_unit(frame(number * S // 30, 1000, key=number == 0))
    with pytest.raises(TooMuchMedia):
        for _ in range(200):
            made.on_unit(AccessUnit(Kind.AUDIO, 1024, 0, True, bytes(65536)))


async def test_a_large_keyframe_is_not_repeated_under_the_sound() -> None:
    for size, repeats in ((MAX_BYTES, True), (MAX_BYTES + 1, False)):
        made = broadcast(SourceLimits())
        made.on_config(audio_config())
        made.on_unit(frame(0, size, key=True))
        for number in range(1, 10):
            made.on_unit(frame(number * S // 30, 1000))
        for number in range(300):
            made.on_unit(AccessUnit(Kind.AUDIO, number * 1024, 0, True, bytes(100)))
        assert made._still.shown is repeats


def test_the_limits_follow_from_the_bitrate() -> None:
    assert SourceLimits.for_bitrate(400_000_000) == SourceLimits(100_000_000, 400_000_000)
    assert SourceLimits.for_bitrate(1_000_000) == SourceLimits(16 * MIB, 64 * MIB)


async def test_a_child_that_starts_is_kept_few_bytes_and_few_children_end_at_once() -> None:
    children = FakeChildren()
    transcoding = Transcoding(RecordingSink(), clock=lambda: 0.0, start=children.start)
    children.gate.clear()
    transcoding.begin(Job(video_config()))
    transcoding.cut(0, key=True)
    for number in range(2 * MAX_WAITING_BYTES // MIB):
        transcoding.feed(frame(number, MIB))
    children.gate.set()
    await run_until_idle()
    given = children.last.given
    assert sum(len(unit.payload) for unit in given if isinstance(unit, AccessUnit)) == MAX_WAITING_BYTES
    for _ in range(MAX_RETIRING + 1):
        transcoding.begin(Job(video_config()))
        transcoding.cut(0, key=True)
        await run_until_idle()
    assert [child.killed for child in children.started] == [False] * MAX_RETIRING + [True, False]
    for child in children.started:
        child.drained.set()
    await transcoding.finish(1.0)
