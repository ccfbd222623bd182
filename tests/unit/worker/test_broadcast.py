"""A broadcast from source units to tracks, without sockets, child processes or clocks."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from ingest.track_start import TimingProblem
from live.bus import Bus
from live.messages import LiveMessage
from live.topics import MEDIA, BroadcastRef
from live.window import LiveWindow
from media.configs import VideoConfig
from media.ladder import Ladder, Rung
from media.units import VIDEO_TIMESCALE as S
from media.units import AccessUnit, Kind
from packager.cmaf.cutter import CutterOptions
from packager.cmaf.segment_writer import Init, Segment
from packager.facts import LowLatency
from telemetry.metrics import Metrics
from tests.lab.fragments import read_fragments
from tests.lab.memory_store import MemoryStore
from tests.lab.waiting import run_until_idle
from tests.unit.packager.recording import ZERO_MS, audio_config, frame, frames, sound, video_config
from tests.unit.worker.fakes import FakeChildren, RecordingSink
from transcoder.options import TranscodeOptions
from worker.broadcast import Broadcast
from worker.broadcast_options import BroadcastOptions
from worker.discontinuities import Cause
from worker.ledger import BroadcastLedger, decode_ledger, encode_ledger
from worker.recorder import Recorder, RecorderOptions
from worker.transcoding import Transcoding


class Bench:
    """``ledger`` and ``store`` are of an interrupted broadcast to continue."""

    def __init__(
        self,
        ledger: BroadcastLedger | None = None,
        store: MemoryStore | None = None,
        ladder: Ladder = "source",
        *,
        free_cuts: bool = False,
    ) -> None:
        self.now = 0.0
        self.store = store or MemoryStore()
        self.segments: list[Segment] = []
        self.inits: list[Init] = []
        self.messages: list[LiveMessage] = []
        self.pictures: list[VideoConfig] = []
        bus = Bus()
        bus.subscribe(MEDIA, self._on_message)
        options = RecorderOptions()
        self.recorder = Recorder(
            ledger or options.new_ledger("s", "20261121t104105z-abc123", ZERO_MS),
            bus=bus,
            store=self.store,
            observer=Metrics().of_stream("s"),
            clock=lambda: 0.0,
            options=options,
        )
        self.broadcast = Broadcast(
            self.recorder,
            BroadcastOptions(
                CutterOptions(free_cuts=free_cuts),
                S // 3,
                low_latency=True,
                ladder=ladder,
                transcode=TranscodeOptions(),
            ),
            clock=lambda: self.now,
            unix_ns=lambda: round(self.now * 1e9),
            on_keyframe=lambda config, _: self.pictures.append(config),
        )
        self.broadcast.attach()

    def _on_message(self, ref: BroadcastRef, message: LiveMessage) -> None:
        self.messages.append(message)
        if isinstance(message, Segment):
            self.segments.append(message)
        if isinstance(message, Init):
            self.inits.append(message)

    def feed(self, units: Iterable[AccessUnit]) -> None:
        for unit in units:
            self.broadcast.on_unit(unit)

    async def finish(self) -> None:
        await self.broadcast.finish(1)
        await self.recorder.finish()

    def window(self) -> LiveWindow:
        window = LiveWindow("s", "20261121t104105z-abc123")
        for message in self.messages:
            window.receive(message)
        return window

    def spans(self, track: str) -> list[tuple[int, float, float]]:
        scale = S if track.startswith("v") else 48_000
        return [
            (s.entry.msn, round(s.entry.start / scale, 2), round(s.entry.duration / scale, 2))
            for s in self.segments
            if s.track == track
        ]


def both(seconds: int, start_s: int = 0) -> list[AccessUnit]:
    """Interleaved video and audio of ``seconds``."""
    video = list(frames(seconds * 30, start=start_s * S))
    audio = [sound(start_s * 48_000 + i * 1024) for i in range(seconds * 48_000 // 1024)]
    return sorted(video + audio, key=lambda unit: unit.dts / (S if unit.kind is Kind.VIDEO else 48_000))


async def test_both_tracks_are_cut_at_the_same_times() -> None:
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    bench.feed(both(5))
    await bench.finish()
    assert bench.spans("vsource") == [(1, 0, 2), (2, 2, 2), (3, 4, 1)]
    assert [(msn, start) for msn, start, _ in bench.spans("asource")] == [(1, 0), (2, 2.01), (3, 3.99)]
    assert bench.recorder.ledger.playable


async def test_unplanned_tracks_are_dropped_and_counted() -> None:
    bench = Bench()
    data = AccessUnit(Kind.DATA, 0, 0, True, b"cue")
    text = AccessUnit(Kind.TEXT, 0, 0, True, b"caption")
    second = AccessUnit(Kind.AUDIO, 0, 0, True, b"commentary", 1)
    bench.feed([data, text, second])
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    for unit in both(5):
        bench.feed([unit, unit._replace(kind=Kind.DATA), unit._replace(track=1)])
    await bench.finish()
    assert bench.spans("vsource") == [(1, 0, 2), (2, 2, 2), (3, 4, 1)]
    assert [(msn, start) for msn, start, _ in bench.spans("asource")] == [(1, 0), (2, 2.01), (3, 3.99)]
    assert sorted(bench.recorder.ledger.tracks) == ["asource", "vsource"]
    assert bench.broadcast.dropped == {"unsupported-track": 3 + 2 * len(both(5))}


async def test_units_before_the_other_tracks_configuration_are_kept() -> None:
    bench = Bench()
    bench.broadcast.on_config(video_config())
    units = both(3)
    bench.feed(units[:20])
    assert bench.segments == []
    bench.broadcast.on_config(audio_config())
    bench.feed(units[20:])
    await bench.finish()
    assert bench.spans("vsource")[0] == (1, 0, 2)


async def test_a_returning_publisher_continues_after_the_earlier_media() -> None:
    bench = Bench()
    for start in (0.0, 30.0):
        bench.now = start
        bench.broadcast.attach()
        bench.broadcast.on_config(video_config())
        bench.broadcast.on_config(audio_config())
        bench.feed(both(4))
    await bench.finish()
    assert bench.spans("vsource") == [(1, 0, 2), (2, 2, 2), (3, 30, 2), (4, 32, 2)]
    assert [s.entry.discontinuity for s in bench.segments if s.track == "vsource"] == [False, False, True, False]
    assert [s.entry.discontinuity for s in bench.segments if s.track == "asource"] == [False, False, True, False]
    assert len(bench.inits) == 2


async def test_the_media_of_a_lost_publisher_are_completed_at_once() -> None:
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    bench.feed(both(3))
    bench.broadcast.detach()
    assert bench.spans("vsource") == [(1, 0, 2), (2, 2, 1)]
    assert [msn for msn, _, _ in bench.spans("asource")] == [1, 2]
    bench.now = 30.0
    bench.broadcast.attach()
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    bench.feed(both(4))
    await bench.finish()
    assert bench.spans("vsource") == [(1, 0, 2), (2, 2, 1), (3, 30, 2), (4, 32, 2)]
    assert [msn for msn, _, _ in bench.spans("asource")] == [1, 2, 3, 4]


async def test_a_publisher_that_returns_early_does_not_overlap() -> None:
    bench = Bench()
    for _ in range(2):
        bench.broadcast.attach()
        bench.broadcast.on_config(video_config())
        bench.broadcast.on_config(audio_config())
        bench.feed(both(4))
    await bench.finish()
    starts = [s.entry.start for s in bench.segments if s.track == "vsource"]
    assert starts[2] > starts[1] + 2 * S - 3000


async def test_a_publisher_that_returns_early_is_presented_after_reordered_frames() -> None:
    bench = Bench()
    for _ in range(2):
        bench.broadcast.attach()
        bench.broadcast.on_config(video_config())
        bench.broadcast.on_config(audio_config())
        bench.feed(both(4))
        bench.feed([frame(4 * S, cts=9000)])
    await bench.finish()
    times = [
        sorted(sample.pts for fragment in read_fragments(segment.data) for sample in fragment.samples)
        for segment in bench.segments
        if segment.track == "vsource"
    ]
    assert len(times) == 4
    assert all(before[-1] < after[0] for before, after in pairwise(times))


async def test_a_changed_picture_size_starts_a_discontinuity_with_its_own_init() -> None:
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    bench.feed(both(3))
    bench.broadcast.on_config(replace(video_config(), width=128))
    bench.feed(both(3, start_s=3))
    await bench.finish()
    video = [s.entry for s in bench.segments if s.track == "vsource"]
    assert [(e.init, e.discontinuity) for e in video] == [(0, False), (0, False), (1, True), (1, False)]
    audio = [s.entry for s in bench.segments if s.track == "asource"]
    assert [(e.init, e.discontinuity) for e in audio] == [(0, False), (0, False), (0, True), (0, False)]


async def test_renditions_of_an_earlier_larger_picture_are_retired() -> None:
    """Without a cut, no transcoder starts: the plan alone decides."""
    bench = Bench(ladder=(Rung(360, 600_000),))
    bench.broadcast.on_config(replace(video_config(), width=1280, height=720))
    bench.broadcast.on_config(audio_config())
    bench.feed([sound(0), *(frame(place * 3000) for place in range(30))])
    small = replace(video_config(), width=424, height=240)
    bench.broadcast.on_config(small)
    tracks = bench.recorder.ledger.tracks
    assert {name for name, track in tracks.items() if track.retired} == {"v360p"}
    bench.broadcast.on_config(replace(small, width=1280, height=720))
    assert not any(track.retired for track in tracks.values())
    await bench.finish()


@pytest.mark.parametrize("declared", [None, 1.0, 2.0, 5.0, 10.0, 25.0, 60.0, 240.0, True])
async def test_the_frame_rate_is_measured(declared: float | None) -> None:
    """A declared rate changes neither the length of the video, nor its parts, nor the rate in playlists."""
    bench = Bench()
    bench.broadcast.on_metadata({} if declared is None else {"framerate": declared})
    bench.broadcast.on_config(replace(video_config(), frame_rate=Fraction(2)))
    bench.broadcast.on_config(audio_config())
    bench.feed(both(5))
    await bench.finish()
    ledger = bench.recorder.ledger
    assert bench.spans("vsource") == [(1, 0, 2), (2, 2, 2), (3, 4, 1)]
    assert ledger.tracks["vsource"].frame_rate == 30
    assert ledger.low_latency == LowLatency(part_target_us=333_334)
    again = decode_ledger(encode_ledger(ledger))
    assert again.tracks["vsource"].frame_rate == 30


async def test_a_source_with_fewer_frames_than_its_grid_has_its_own_rate() -> None:
    """25 frames a second in a stream that declares 30: every sixth slot of the grid is empty."""
    bench = Bench()
    bench.broadcast.on_metadata({"framerate": 30.0, "videocodecid": 7.0})
    bench.broadcast.on_config(video_config())
    slots = [slot for slot in range(30 * 8) if slot % 6]
    bench.feed(frame(slot * 3000, key=place % 50 == 0) for place, slot in enumerate(slots))
    await bench.finish()
    assert bench.recorder.ledger.tracks["vsource"].frame_rate == 25


def entries(bench: Bench, track: str) -> list[tuple[float, float, bool, bool]]:
    """Start and end in seconds, discontinuity and gap of each segment."""
    scale = S if track.startswith("v") else 48_000
    return [
        (round(e.start / scale, 2), round((e.start + e.duration) / scale, 2), e.discontinuity, e.gap)
        for e in (segment.entry for segment in bench.segments if segment.track == track)
    ]


def time_of(unit: AccessUnit) -> float:
    return unit.dts / (S if unit.kind is Kind.VIDEO else 48_000)


@pytest.mark.parametrize("audio_first", [False, True])
async def test_a_hole_in_the_timestamps_is_a_discontinuity_on_every_track(audio_first: bool) -> None:
    """The publisher pauses for 6 s and goes on with its clock. No silence fills the hole of one track only."""
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    later = [unit for unit in both(14) if time_of(unit) >= 10]
    if audio_first:
        later.sort(key=lambda unit: time_of(unit) - 0.2 * (unit.kind is Kind.AUDIO))
    bench.feed([unit for unit in both(14) if time_of(unit) < 4])
    bench.feed(later)
    await bench.finish()
    video, audio = entries(bench, "vsource"), entries(bench, "asource")
    assert video == [(0, 2, False, False), (2, 4, False, False), (10, 12, True, False), (12, 14, False, False)]
    assert [broken for _, _, broken, _ in audio] == [False, False, True, False]
    for (start, end, _, _), (heard, until, _, _) in zip(video, audio, strict=True):
        assert abs(start - heard) < 0.05 and abs(end - until) < 0.05


@pytest.mark.parametrize(("first", "last"), [(4, 6), (4.9, 8), (3.5, 13.2)])
async def test_missing_video_is_a_discontinuity_and_the_sound_goes_on(first: float, last: float) -> None:
    """An encoder drops video while its upload is slow. Each run of segments begins at its cut on both tracks."""
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    bench.feed(unit for unit in both(18) if unit.kind is Kind.AUDIO or not first <= time_of(unit) < last)
    await bench.finish()
    video, audio = entries(bench, "vsource"), entries(bench, "asource")
    assert [entry[2] for entry in video] == [entry[2] for entry in audio]
    for before, after in pairwise(video):
        assert after[0] == before[1] or after[2] or after[3] or before[3]
    for before, after in pairwise(audio):
        assert after[0] == before[1]
    for segment in bench.segments:
        entry, scale = segment.entry, S if segment.track == "vsource" else 48_000
        if entry.run is not None and entry.run.msn == entry.msn and not entry.gap:
            assert abs(entry.run.start_ms - entry.start * 1000 / scale) < 25
    assert audio[-1][1] == pytest.approx(18, abs=0.05)


async def test_tracks_that_start_apart_are_a_warning_until_the_publisher_leaves() -> None:
    bench = Bench()
    bench.broadcast.on_timing(TimingProblem("tracks-apart", "audio started 3.0 s after video"))
    (warning,) = bench.broadcast.advice.warnings.status(1.0)
    assert (warning.code, warning.text) == ("tracks-apart", "audio started 3.0 s after video")
    bench.broadcast.attach()
    assert bench.broadcast.advice.warnings.status(1.0) == ()


@pytest.mark.parametrize("late", [Kind.AUDIO, Kind.VIDEO])
async def test_a_track_that_is_always_late_is_heard(late: Kind) -> None:
    """No silence takes the place of sound that comes 3 s after its picture, or before it."""
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    bench.feed(sorted(both(20), key=lambda unit: time_of(unit) + 3 * (unit.kind is late)))
    await bench.finish()
    heard = [
        sample
        for segment in bench.segments
        if segment.track == "asource" and segment.entry.start > 8 * 48_000
        for fragment in read_fragments(segment.data)
        for sample in fragment.samples
    ]
    assert len(heard) > 400
    assert {sample.payload for sample in heard} == {sound(0).payload}
    assert all(sample.pts % 1024 == 0 for sample in heard)


async def test_a_slow_source_has_no_holes() -> None:
    """One frame a second, as slide shows have."""
    bench = Bench()
    bench.broadcast.on_metadata({"videocodecid": 7.0})
    bench.broadcast.on_config(video_config())
    bench.feed(frame(i * S, key=i % 4 == 0) for i in range(21))
    await bench.finish()
    assert not any(entry[2] for entry in entries(bench, "vsource"))
    assert sum(end - start for start, end, _, _ in entries(bench, "vsource")) >= 20


async def test_repeated_headers_change_nothing() -> None:
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    bench.feed(both(3))
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    bench.feed(both(3, start_s=3))
    await bench.finish()
    assert not any(s.entry.discontinuity for s in bench.segments)
    assert bench.spans("vsource") == [(1, 0, 2), (2, 2, 2.43), (3, 4.43, 0.57), (4, 5, 1)]
    assert len(bench.inits) == 2


async def test_audio_that_starts_late_joins_with_a_discontinuity() -> None:
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.feed(frames(120))
    bench.broadcast.on_config(audio_config())
    bench.feed(both(5, start_s=4))
    await bench.finish()
    assert [msn for msn, _, _ in bench.spans("asource")] == [3, 4, 5]
    assert [s.entry.discontinuity for s in bench.segments if s.track == "vsource"][:4] == [
        False,
        False,
        True,
        False,
    ]


async def test_sparse_keyframes_give_a_warning() -> None:
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.feed(frames(600, gop=250))
    bench.broadcast.tick(1, 1)
    (warning,) = (w for w in bench.broadcast.advice.warnings.status(3) if w.code == "keyframe-interval")
    assert warning.text == "keyframe every 8.3 s: set Keyframe Interval to 2 s in OBS, Settings, Output"
    assert bench.broadcast.keyframes_are_sparse()
    await bench.finish()


async def test_a_missing_second_keyframe_is_a_warning_while_it_is_missing() -> None:
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.feed(frames(30 * 14 + 1, gop=10_000))
    bench.broadcast.tick(1, 1)
    (warning,) = (w for w in bench.broadcast.advice.warnings.status(3) if w.code == "keyframe-interval")
    assert warning.text == "no keyframe for 14 s: set Keyframe Interval to 2 s in OBS, Settings, Output"
    assert bench.broadcast.keyframes_are_sparse()
    await bench.finish()


async def test_without_a_second_keyframe_the_top_rendition_is_encoded_after_six_seconds() -> None:
    """The child decodes the passed frames first, and starts at the cut."""
    children = FakeChildren()
    bench = Bench(ladder="auto", free_cuts=True)
    bench.broadcast.transcoding = Transcoding(RecordingSink(), clock=lambda: 0.0, start=children.start)
    bench.broadcast.on_metadata({"videocodecid": 7.0})
    bench.broadcast.on_config(video_config())
    bench.feed(frames(30 * 8, gop=10_000))
    await run_until_idle()
    (child,) = children.started
    assert [rung.track for rung in child.job.rungs] == ["vsource"]
    cut = child.given[0]
    assert isinstance(cut, int) and 6 * S <= cut < 6.1 * S
    assert [unit.dts for unit in child.given[1:] if isinstance(unit, AccessUnit)] == [
        place * 3000 for place in range(30 * 8)
    ]
    assert child.prerolled == cut // 3000
    child.drained.set()
    await bench.finish()
    ((msn, start, duration),) = bench.spans("vsource")
    assert (msn, start) == (1, 0) and abs(duration - 6) < 0.04
    assert bench.broadcast.discontinuities.counts == {Cause.KEYFRAMES_MISSING: 1}


async def test_a_top_rendition_that_is_encoded_already_goes_on_without_keyframes() -> None:
    children = FakeChildren()
    bench = Bench(ladder="auto", free_cuts=True)
    bench.broadcast.transcoding = Transcoding(RecordingSink(), clock=lambda: 0.0, start=children.start)
    bench.broadcast.on_metadata({"videocodecid": 7.0})
    bench.broadcast.on_config(replace(video_config(), chroma_format_idc=2))
    bench.feed(frames(30 * 12, gop=10_000))
    await run_until_idle()
    (child,) = children.started
    assert bench.broadcast.sparse
    assert next(given for given in child.given if isinstance(given, int)) == 0
    child.drained.set()
    await bench.finish()


@pytest.mark.parametrize("keyframe_s", [8, 14])
async def test_sound_goes_on_alone_until_the_first_keyframe(keyframe_s: int) -> None:
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    units = [
        unit._replace(key=unit.key and time_of(unit) >= keyframe_s) if unit.kind is Kind.VIDEO else unit
        for unit in both(20)
    ]
    before = [unit for unit in units if time_of(unit) < 7]
    bench.feed(before)
    bench.broadcast.tick(1, 1)
    for second in range(2, 7):
        bench.broadcast.tick(second, second)
    codes = {warning.code for warning in bench.broadcast.advice.warnings.status(7)}
    assert codes == {"no-media", "no-keyframe", "clock-drift"}
    assert bench.recorder.ledger.playable
    bench.feed(units[len(before) :])
    bench.broadcast.tick(20, 20)
    assert {warning.code for warning in bench.broadcast.advice.warnings.status(20)} <= {"clock-drift"}
    await bench.finish()
    video, audio = entries(bench, "vsource"), entries(bench, "asource")
    assert video[0][:3] == (keyframe_s, keyframe_s + 2, True)
    assert bench.broadcast.discontinuities.counts == {Cause.PICTURE_BEGAN: 1}
    assert audio[0][0] == pytest.approx(3, abs=0.05)
    assert [start for start, _, broken, _ in audio if broken] == [pytest.approx(keyframe_s, abs=0.05)]
    assert audio[-1][1] == pytest.approx(20, abs=0.05)
    for one, other in pairwise(audio):
        assert one[1] == other[0]


async def test_a_publisher_that_left_is_not_awaited() -> None:
    bench = Bench()
    bench.broadcast.tick(1, 1)
    bench.broadcast.tick(5, 5)
    assert [warning.code for warning in bench.broadcast.advice.warnings.status(5)] == ["no-media"]
    bench.broadcast.detach()
    bench.broadcast.tick(6, 6)
    assert bench.broadcast.advice.warnings.status(6) == ()


async def test_a_picture_that_browsers_cannot_show_is_a_warning() -> None:
    bench = Bench()
    bench.broadcast.on_config(replace(video_config(), chroma_format_idc=2))
    bench.feed(frames(60))
    bench.broadcast.tick(1, 1)
    assert [warning.code for warning in bench.broadcast.advice.warnings.status(1)] == ["picture-format"]
    await bench.finish()


async def test_keyframes_are_passed_on_for_thumbnails() -> None:
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.feed(frames(121))
    assert bench.pictures == [video_config()] * 3
    await bench.finish()


async def test_a_source_without_a_configuration_makes_nothing() -> None:
    bench = Bench()
    bench.feed(frames(30))
    await asyncio.sleep(0)
    assert bench.segments == []
    await bench.finish()


async def test_a_broadcast_continues_from_its_encoded_ledger_in_another_process() -> None:
    first = Bench()
    first.broadcast.on_config(video_config())
    first.broadcast.on_config(audio_config())
    first.feed(both(3))
    await first.recorder.drain(1)
    second = Bench(decode_ledger(encode_ledger(first.recorder.ledger)), first.store)
    await second.recorder.resume()
    second.now = 30.0
    second.broadcast.attach()
    second.broadcast.on_config(video_config())
    second.broadcast.on_config(audio_config())
    second.feed(both(4))
    await second.finish()
    await first.finish()
    before, after = first.recorder.ledger, second.recorder.ledger
    video = after.tracks["vsource"].entries
    assert [(entry.msn, entry.gap, entry.discontinuity) for entry in video] == [
        (1, False, False),
        (2, True, False),
        (3, False, True),
        (4, False, False),
    ]
    assert [(entry.start, entry.duration) for entry in video][1:] == [
        (2 * S, before.end - 2 * S),
        (30 * S, 2 * S),
        (32 * S, 2 * S),
    ]
    assert [entry.msn for entry in after.tracks["asource"].entries] == [1, 2, 3, 4]
    assert second.inits == []
    assert (after.zero_ms, after.low_latency) == (before.zero_ms, before.low_latency)


@pytest.mark.parametrize("jump_ms", [300, 700, 950])
async def test_the_target_duration_stays_if_the_timestamps_jump(jump_ms: int) -> None:
    """rfc8216bis, 6.2.1. Segments end in time on both tracks, and no segment of the recording is longer."""
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    ticks = {Kind.VIDEO: jump_ms * 90, Kind.AUDIO: jump_ms * 48}
    bench.feed(
        unit._replace(dts=unit.dts + ticks[unit.kind]) if time_of(unit) >= 3.6 else unit for unit in both(12)
    )
    await bench.finish()
    durations = [duration for track in ("vsource", "asource") for _, _, duration in bench.spans(track)]
    assert max(durations) < 2.5
    assert bench.recorder.ledger.longest_ms == 2000


async def test_audio_that_is_too_late_is_counted() -> None:
    bench = Bench()
    bench.broadcast.on_config(video_config())
    bench.broadcast.on_config(audio_config())
    late = sorted(both(10), key=lambda unit: max(time_of(unit), 7.0) if held_up(unit) else time_of(unit))
    bench.feed(late)
    await bench.finish()
    assert bench.broadcast.dropped.keys() == {"late-audio"}


def held_up(unit: AccessUnit) -> bool:
    return unit.kind is Kind.AUDIO and 4 <= time_of(unit) < 7


async def test_a_hole_of_sound_alone_is_a_discontinuity() -> None:
    bench = Bench()
    bench.broadcast.on_config(audio_config())
    bench.feed(unit for unit in both(12) if unit.kind is Kind.AUDIO and not 3 <= time_of(unit) < 9)
    await bench.finish()
    entries = [segment.entry for segment in bench.segments]
    assert [entry.discontinuity for entry in entries] == [False, False, True, False]
    assert bench.broadcast.discontinuities.counts == {Cause.HOLE: 1}
    assert max(entry.duration for entry in entries) < 2.5 * 48_000


async def test_the_source_ends_at_once_and_a_slow_encoder_later() -> None:
    children = FakeChildren()
    bench = Bench(ladder="auto")
    encoded = bench.broadcast._encoded
    bench.broadcast.transcoding = Transcoding(encoded, clock=lambda: 0.0, start=children.start)
    bench.broadcast.on_metadata({"videocodecid": 7.0})
    bench.broadcast.on_config(replace(video_config(), width=1280, height=720))
    bench.feed(frames(30 * 6))
    await run_until_idle()
    (child,) = children.started
    small = child.job.rungs[-1].track
    child.produce_config(small, video_config())
    for unit in frames(30 * 3):
        child.produce(small, unit)
    ending = asyncio.create_task(bench.broadcast.finish(1))
    await run_until_idle()
    window = bench.window()
    assert window.has_ended("vsource") and not window.has_ended(small)
    source, slow = (window.playlist(track) for track in ("vsource", small))
    assert source is not None and slow is not None
    assert b"EXT-X-ENDLIST" in source and b"EXT-X-PRELOAD-HINT" not in source
    assert b"EXT-X-ENDLIST" not in slow and b"EXT-X-PRELOAD-HINT" in slow
    for unit in frames(30, start=3 * S, gop=10_000):
        child.produce(small, unit)
    child.drained.set()
    missing = await ending
    assert missing == {rung.track: (2.0 if rung.track == small else 6.0) for rung in child.job.rungs}
    await bench.recorder.finish()
    assert bench.window().has_ended(small)
