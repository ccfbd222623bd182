"""The slate: a picture that stands still and silence, while the publisher is away."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.interface import EndReason
from live.status import StreamState
from live.topics import MEDIA, BroadcastRef
from media.configs import VideoConfig
from media.ladder import Rung
from media.roles import Role
from media.slate import SlateMode
from media.units import VIDEO_TIMESCALE as S
from media.units import AccessUnit, Kind
from packager.cmaf.segment_writer import Init, Part, Segment
from tests.lab.fragments import read_fragments
from tests.lab.waiting import run_until_idle
from tests.unit.packager.recording import audio_config, frame, frames, sound, unfillable_config, video_config
from tests.unit.worker.fakes import FakeChild, FakeChildren, FakeLink
from tests.unit.worker.stage import BROADCAST, NEVER_CAME_BACK, STREAM, ChannelStage, passthrough
from tests.unit.worker.test_events import codes, events, stored
from transcoder.errors import ImageUnusable, WorkerUnavailable
from transcoder.image import Image
from transcoder.limits import WorkerLimits
from transcoder.messages import Job
from transcoder.options import Encoder, LatencyMode, TranscodeOptions
from worker.rates import part_ticks
from worker.slate import Slate, slate_job
from worker.slate_pictures import AT_ONCE, INTERVAL, SlateEncoder, SlateUnavailable
from worker.track_plan import plan_tracks

LOST = "the connection was lost"
SLATE_CONFIG = replace(video_config(), codec_string="avc1.64001e", record=video_config().record + b"\0")
PAYLOADS = (b"\0\0\0\x02\x65s", b"\0\0\0\x02\x41t", b"\0\0\0\x02\x41u")


class Tape:
    """The media that a stage publishes."""

    def __init__(self, stage: ChannelStage) -> None:
        self.inits: list[Init] = []
        self.parts: list[Part] = []
        self.segments: list[Segment] = []
        stage.bus.subscribe(MEDIA, self._take, BroadcastRef(STREAM, BROADCAST))

    def _take(self, ref: BroadcastRef, message: object) -> None:
        if isinstance(message, Init):
            self.inits.append(message)
        elif isinstance(message, Part):
            self.parts.append(message)
        elif isinstance(message, Segment):
            self.segments.append(message)

    def of(self, track: str) -> list[Segment]:
        return [segment for segment in self.segments if segment.track == track]


def payloads(segment: Segment) -> Iterator[bytes]:
    for fragment in read_fragments(segment.data):
        for sample in fragment.samples:
            yield sample.payload


async def warning(stage: ChannelStage) -> str:
    """The text of ``publisher-lost``."""
    status = await stage.status()
    assert status is not None
    return {one.code: one.text for one in status.warnings}["publisher-lost"]


def produce(child: FakeChild) -> None:
    """Encode the picture of every rung, and end."""
    for rung in child.job.rungs:
        child.produce_config(rung.track, SLATE_CONFIG)
        for number, payload in enumerate(PAYLOADS):
            child.produce(rung.track, AccessUnit(Kind.VIDEO, number, 0, number == 0, payload))
    child.drained.set()


async def publish(
    stage: ChannelStage, seconds: int, *, audio: bool = True, link: FakeLink | None = None
) -> FakeLink:
    """A publisher that sends for some seconds, at their time."""
    link = stage.attach(link)
    session = link.session
    assert session is not None
    session.on_metadata({"videocodecid": 7.0, "audiocodecid": 10.0} if audio else {"videocodecid": 7.0})
    session.on_video_config(video_config())
    if audio:
        session.on_audio_config(audio_config())
    sounds = iter([sound(number * 1024) for number in range(seconds * 48_000 // 1024)] if audio else [])
    heard = next(sounds, None)
    for number, unit in enumerate(frames(seconds * 30)):
        session.on_unit(unit)
        while heard is not None and heard.dts / 48_000 <= unit.dts / S:
            session.on_unit(heard)
            heard = next(sounds, None)
        if number % 30 == 29:
            await stage.clock.advance(1)
    await run_until_idle()
    return link


async def lost(stage: ChannelStage, seconds: int = 4, *, audio: bool = True) -> None:
    """A publisher sends for some seconds and is lost; the child encodes the slate."""
    link = await publish(stage, seconds, audio=audio)
    link.end(EndReason.LOST, LOST)
    await run_until_idle()
    if stage.slate_children.started:
        produce(stage.slate_children.last)
    await run_until_idle()


async def test_the_slate_goes_on_in_real_time_until_the_publisher_returns() -> None:
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME)
    tape = Tape(stage)
    await lost(stage)
    await stage.clock.advance(2.9)
    before = len(tape.segments)
    assert "slate" not in codes(await events(stage))
    await stage.clock.advance(10.1)
    status = await stage.status()
    assert status is not None and status.state is StreamState.WAITING
    assert "viewers see the slate" in await warning(stage)
    for track in ("vsource", "asource"):
        slate = [segment for segment in tape.of(track) if segment in tape.segments[before:]]
        assert len(slate) >= 4
        assert [segment.entry.discontinuity for segment in slate] == [True] + [False] * (len(slate) - 1)
        for one, other in pairwise(slate):
            assert abs(one.entry.start + one.entry.duration - other.entry.start) <= 1
    video = [segment for segment in tape.of("vsource") if segment in tape.segments[before:]]
    assert all(segment.entry.duration == 2 * S for segment in video)
    assert {payload[-1:] for segment in video for payload in payloads(segment)} == {b"s", b"t", b"u"}
    assert all(next(payloads(segment)).endswith(PAYLOADS[0]) for segment in video)
    newest = max(part.start + part.duration for part in tape.parts if part.track == "vsource")
    assert abs(newest / S - 17) < 0.5
    await publish(stage, 5)
    inits = [init.config for init in tape.inits if init.track == "vsource"]
    assert inits == [video_config(), replace(SLATE_CONFIG, frame_rate=None), video_config()]
    ends = [segment for segment in tape.of("vsource") if segment.entry.discontinuity]
    assert len(ends) == 2
    assert codes(await events(stage)) == [
        "started",
        "publisher-lost",
        "slate",
        "discontinuity",
        "publisher-returned",
        "slate-over",
        "discontinuity",
    ]
    await stage.end()


@pytest.mark.parametrize("away_s", [3.0, 3.1, 4.99, 5.0, 5.1, 5.3])
async def test_tracks_have_media_in_every_segment_whenever_the_publisher_returns(away_s: float) -> None:
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME)
    tape = Tape(stage)
    await lost(stage)
    await stage.clock.advance(away_s)
    await publish(stage, 5)
    for track in ("vsource", "asource"):
        scale = S if track == "vsource" else 48_000
        segments = tape.of(track)
        assert not any(segment.entry.gap for segment in segments)
        for one, other in pairwise(segments):
            assert one.entry.start + one.entry.duration <= other.entry.start + scale // 20
    await stage.end()


async def test_parts_are_no_longer_than_the_target_and_tracks_end_together() -> None:
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME)
    tape = Tape(stage)
    await lost(stage)
    await stage.clock.advance(60)
    for one in tape.parts:
        scale = S if one.track == "vsource" else 48_000
        assert one.duration / scale <= 1 / 3 + 0.001
    for video, audio in zip(tape.of("vsource"), tape.of("asource"), strict=True):
        assert video.entry.msn == audio.entry.msn
        assert abs(video.entry.start / S - audio.entry.start / 48_000) < 0.03
    await stage.end()
    assert codes(await stored(stage))[-2:] == ["slate-over", "ended"]


@pytest.mark.parametrize(
    ("part_s", "segment_s"), [(0.1, 2), (0.25, 2), (0.44, 2), (1.0, 2), (1.7, 2), (0.13, 6), (0.333, 6), (5, 6)]
)
async def test_parts_and_segments_have_the_durations_that_playlists_declare(
    monkeypatch: pytest.MonkeyPatch, part_s: float, segment_s: int
) -> None:
    options = passthrough()
    cutter = replace(options.cutter, target=segment_s * S)
    options = replace(options, part_target=round(part_s * S), cutter=cutter)
    monkeypatch.setattr("tests.unit.worker.stage.passthrough", lambda: options)
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME, reconnect_window=100)
    tape = Tape(stage)
    await lost(stage, 14)
    before = len(tape.parts)
    await stage.clock.advance(30)
    video = [part for part in tape.parts[before:] if part.track == "vsource"]
    longest = part_ticks(options.part_target, Fraction(30))
    assert max(part.duration for part in video) <= longest
    for one, other in pairwise(video):
        assert one.duration > 0.85 * longest or one.msn != other.msn
    pictures, sounds = (
        [segment.entry for segment in tape.of(track) if segment.entry.start > 17 * scale]
        for track, scale in (("vsource", S), ("asource", 48_000))
    )
    assert len(pictures) == len(sounds) >= 3
    for picture, heard in zip(pictures, sounds, strict=True):
        assert picture.duration == segment_s * S
        assert abs(picture.start / S - heard.start / 48_000) < 0.03
    await stage.end()


async def test_a_publisher_that_returns_in_time_needs_no_slate() -> None:
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME)
    await lost(stage)
    await stage.clock.advance(2)
    await publish(stage, 5)
    assert "slate" not in codes(await events(stage))
    await stage.end()


async def test_the_slate_goes_on_while_a_publisher_connects_without_media() -> None:
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME)
    await lost(stage)
    await stage.clock.advance(4)
    link = stage.attach()
    await stage.clock.advance(2)
    link.end(EndReason.LOST, LOST)
    await stage.clock.advance(4)
    assert codes(await events(stage)).count("slate") == 1
    assert "slate-over" not in codes(await events(stage))
    assert "viewers see the slate" in await warning(stage)
    await publish(stage, 3)
    assert "slate-over" in codes(await events(stage))
    await stage.end()


async def test_each_loss_has_its_slate() -> None:
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME)
    tape = Tape(stage)
    for _ in range(3):
        await lost(stage)
        await stage.clock.advance(6)
    assert codes(await events(stage)).count("slate") == 3
    assert [init.number for init in tape.inits if init.track == "vsource"] == list(range(6))
    await stage.clock.advance(60)
    await stage.channel.closed()
    assert codes(await stored(stage))[-2:] == ["slate-over", "ended"]
    assert (await stored(stage))[-1].fields["reason"] == NEVER_CAME_BACK
    assert [segment.entry.msn for segment in tape.of("vsource")] == [
        segment.entry.msn for segment in tape.of("asource")
    ]


async def test_sound_alone_goes_on_as_silence() -> None:
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME)
    tape = Tape(stage)
    link = stage.attach()
    assert link.session is not None
    link.session.on_metadata({"audiocodecid": 10.0})
    link.session.on_audio_config(audio_config())
    for number in range(5 * 48_000 // 1024):
        link.session.on_unit(sound(number * 1024))
    await stage.clock.advance(5)
    link.end(EndReason.LOST, LOST)
    await stage.clock.advance(20)
    assert stage.slate_children.attempts == 0
    slate = [segment for segment in tape.of("asource") if segment.entry.start > 7 * 48_000]
    assert len(slate) >= 7
    assert [segment.entry.discontinuity for segment in slate] == [True] + [False] * (len(slate) - 1)
    await stage.end()


async def test_without_silence_there_is_no_slate_but_a_reason() -> None:
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME)
    link = stage.attach()
    assert link.session is not None
    link.session.on_audio_config(unfillable_config())
    for unit in frames(90):
        link.session.on_unit(unit)
        link.session.on_unit(sound(unit.dts * 48 // 90))
    link.end(EndReason.LOST, LOST)
    await stage.clock.advance(5)
    assert "slate" not in codes(await events(stage))
    assert "viewers wait, because there is no slate: there is no silence for this sound" in await warning(stage)
    await stage.end()


async def test_a_child_that_fails_means_no_slate_and_the_broadcast_goes_on() -> None:
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME)
    link = await publish(stage, 4)
    link.end(EndReason.LOST, LOST)
    await run_until_idle()
    child = stage.slate_children.last
    child.die()
    child.drained.set()
    await stage.clock.advance(5)
    assert child.killed
    assert "there is no slate: it died of SIGSEGV" in await warning(stage)
    await publish(stage, 3)
    assert codes(await events(stage))[-2:] == ["publisher-returned", "discontinuity"]
    await stage.end()


async def test_a_child_that_cannot_start_means_no_slate() -> None:
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME)
    stage.slate_children.error = WorkerUnavailable("too many processes")
    await lost(stage)
    await stage.clock.advance(4)
    assert "the transcoder could not be started: too many processes" in await warning(stage)
    await stage.end()


async def test_the_child_ends_with_the_broadcast() -> None:
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME)
    link = await publish(stage, 4)
    link.end(EndReason.LOST, LOST)
    await run_until_idle()
    await stage.end()
    await run_until_idle()
    assert stage.slate_children.last.killed


@pytest.mark.parametrize(
    ("mode", "window", "reason"),
    [
        (SlateMode.OFF, 30.0, EndReason.LOST),
        (SlateMode.LAST_FRAME, 0.0, EndReason.LOST),
        (SlateMode.LAST_FRAME, 30.0, EndReason.UNPUBLISHED),
        (SlateMode.LAST_FRAME, 30.0, EndReason.KICKED),
    ],
)
async def test_nothing_is_prepared_without_need(mode: SlateMode, window: float, reason: EndReason) -> None:
    stage = await ChannelStage.start(reconnect_window=window, slate=mode)
    (await publish(stage, 4)).end(reason, LOST)
    await stage.clock.advance(5)
    assert stage.slate_children.attempts == 0
    await stage.end()


async def test_a_backup_on_standby_goes_on_air_without_a_slate() -> None:
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME)
    primary = await publish(stage, 4)
    backup = stage.attach(role=Role.BACKUP)
    assert backup.session is not None
    primary.end(EndReason.LOST, LOST)
    await stage.clock.advance(5)
    assert stage.slate_children.attempts == 0
    await stage.end()


async def test_the_pictures_are_those_of_the_renditions() -> None:
    children, keyframe = FakeChildren(), frame(7 * S, key=True, cts=6000)
    video = replace(video_config(), width=640, height=360)
    ladder = (Rung(180, 300_000), Rung(90, 100_000))
    plan = plan_tracks(video, None, Fraction(60), ladder, encode_top=False, low_audio_bps=None)
    options = TranscodeOptions(encoder=Encoder.NVENC, device="1", latency=LatencyMode.NORMAL)
    job = slate_job(video, Fraction(60), plan, frozenset({"v90p"}), options)
    encoding = asyncio.create_task(SlateEncoder(children.start).encode(job, keyframe))
    await run_until_idle()
    child = children.last
    produce(child)
    assert set(await encoding) == {"vsource", "v180p"}
    assert [(rung.width, rung.height) for rung in child.job.rungs] == [(640, 360), (320, 180)]
    assert (child.job.options.encoder, child.job.options.latency) == (Encoder.LIBX264, LatencyMode.LOW)
    cut, first, second, *_ = child.given
    assert (cut, first) == (0, keyframe._replace(dts=0, cts=0))
    assert isinstance(second, AccessUnit) and second.dts == INTERVAL


async def test_children_take_turns() -> None:
    children = FakeChildren()
    encoder = SlateEncoder(children.start)
    plan = plan_tracks(video_config(), None, Fraction(30), "source", encode_top=False, low_audio_bps=None)
    job = slate_job(video_config(), Fraction(30), plan, frozenset(), TranscodeOptions())
    waiting = [asyncio.create_task(encoder.encode(job, frame(0, key=True))) for _ in range(AT_ONCE + 1)]
    await run_until_idle()
    assert len(children.started) == AT_ONCE
    for child in children.started[:]:
        produce(child)
    await run_until_idle()
    produce(children.last)
    assert len(children.started) == AT_ONCE + 1
    assert [set(pictures) for pictures in await asyncio.gather(*waiting)] == [{"vsource"}] * (AT_ONCE + 1)


async def test_an_image_has_the_shape_of_the_source() -> None:
    children, calls = FakeChildren(), []
    image = Image(Path("slate.png"), b"")

    def make(
        image: Image, width: int, height: int, aspect: Fraction, limits: WorkerLimits
    ) -> tuple[VideoConfig, AccessUnit]:
        calls.append((image, width, height, aspect))
        return replace(video_config(), width=width, height=height, sample_aspect_ratio=aspect), frame(0, key=True)

    video = replace(
        video_config(), width=721, height=576, sample_aspect_ratio=Fraction(64, 45), frame_rate=Fraction(25)
    )
    plan = plan_tracks(video, None, Fraction(25), (Rung(180, 300_000),), encode_top=False, low_audio_bps=None)
    job = slate_job(video, Fraction(25), plan, frozenset(), TranscodeOptions())
    encoding = asyncio.create_task(SlateEncoder(children.start, make).encode_image(job, image))
    while not children.started:
        await asyncio.sleep(0.01)
    produce(children.last)
    assert set(await encoding) == {"vsource", "v180p"}
    assert calls == [(image, 720, 576, Fraction(64, 45))]
    given = children.last.job.video
    assert given is not None and (given.width, given.frame_rate) == (720, Fraction(25))


async def test_an_image_that_fails_or_is_missing_means_no_slate() -> None:
    def fail(*arguments: object) -> tuple[VideoConfig, AccessUnit]:
        raise ImageUnusable("the slate's image slate.png cannot be used: it hung")

    job = Job(video_config())
    with pytest.raises(SlateUnavailable, match=r"slate\.png cannot be used: it hung"):
        await SlateEncoder(FakeChildren().start, fail).encode_image(job, Image(Path("slate.png"), b""))
    stage = await ChannelStage.start(slate=SlateMode.IMAGE)
    await lost(stage)
    await stage.clock.advance(4)
    assert "there is no slate: [rtmp] slate_image names no image" in await warning(stage)
    await stage.end()


async def test_a_slate_that_fails_is_over_and_the_broadcast_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await ChannelStage.start(slate=SlateMode.LAST_FRAME)
    await lost(stage)
    await stage.clock.advance(4)

    def fail(slate: Slate, now: int) -> int:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Slate, "advance", fail)
    await stage.clock.advance(2)
    assert "there is no slate: the slate failed: ZeroDivisionError('a bug')" in await warning(stage)
    monkeypatch.undo()
    await publish(stage, 3)
    assert codes(await events(stage))[-3:] == ["slate-over", "publisher-returned", "discontinuity"]
    await stage.end()
