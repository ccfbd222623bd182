"""One going-live on a stream: from the units of its publishers to the tracks of its recorder.

    units ─▶ frame clock ─▶ cutter ─▶ passthrough tracks ─┐
                 └────────▶ transcoding ─▶ encoded tracks ─┴▶ recorder

A publisher that comes back continues the broadcast: its time is moved behind what is there, and the next keyframe
starts a discontinuity.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from media.configs import AudioConfig, TrackConfig, VideoConfig
from media.timescale import rescale
from media.units import VIDEO_TIMESCALE, AccessUnit, Kind
from packager.cmaf.bitrate import TrackBitrate
from packager.cmaf.cutter import Cut, Cutter, CutterOptions
from packager.cmaf.frame_clock import FrameClock
from packager.facts import LowLatency
from transcoder.ladder import SOURCE_TRACK, LadderSetting
from transcoder.messages import Job
from transcoder.options import LatencyMode, TranscodeOptions
from worker.latency import LatencyTrace
from worker.meter import SourceMeter
from worker.rates import named_rate, part_ticks
from worker.recorder import Recorder
from worker.start_gate import StartGate
from worker.track_plan import TrackPlan, plan_tracks
from worker.track_set import TrackSet
from worker.transcoding import Transcoding
from worker.warnings import Warnings

# Seconds, as 90 kHz ticks, that video may run ahead of its audio before silence takes its place.
SILENCE_AFTER_SOURCE = VIDEO_TIMESCALE
SILENCE_AFTER_ENCODED = 4 * VIDEO_TIMESCALE
# Space left before a publisher that comes back, so that time never overlaps.
RETURN_GAP = VIDEO_TIMESCALE // 10
# Before the first frame, where encoders reorder: it is decoded before it is presented, and never before time zero.
REORDERING_ROOM = VIDEO_TIMESCALE
MAX_GATE_UNITS = 512
# Looked up for every frame: a name costs a tenth of an enumeration's member.
VIDEO, AUDIO = Kind.VIDEO, Kind.AUDIO
# Above this many seconds between keyframes, viewers wait longer than they should.
KEYFRAME_ADVICE_S = 4.5


@dataclass(frozen=True, slots=True)
class BroadcastOptions:
    """``part_target`` is 90 kHz ticks; parts last as many whole frames as fit into it."""

    cutter: CutterOptions
    part_target: int
    low_latency: bool
    ladder: LadderSetting
    transcode: TranscodeOptions


@dataclass(slots=True)
class Source:
    """What one publisher's connection has said so far, until and after its timeline joined the broadcast's."""

    gate: StartGate = field(default_factory=StartGate)
    waiting: list[AccessUnit] = field(default_factory=list)
    first_ns: int | None = None
    joined: bool = False
    base: int = 0
    audio_base: int = 0


class Broadcast:
    """Pure of sockets and clocks but for ``clock`` (monotonic seconds) and ``unix_ns``."""

    def __init__(
        self,
        recorder: Recorder,
        options: BroadcastOptions,
        *,
        zero_ms: int,
        clock: Callable[[], float],
        unix_ns: Callable[[], int],
        on_keyframe: Callable[[VideoConfig, AccessUnit], None],
        sparse: bool = False,
    ) -> None:
        self.recorder = recorder
        self.warnings = Warnings()
        self.meter = SourceMeter()
        self.dropped: dict[str, int] = {}
        self.latency = LatencyTrace(time.monotonic_ns)
        self.video: VideoConfig | None = None
        self.audio: AudioConfig | None = None
        self.frame_rate: Fraction | None = None
        self.plan = TrackPlan()
        self._options = options
        self._clock = clock
        self._unix_ns = unix_ns
        self._on_keyframe = on_keyframe
        self._started = clock()
        self._cutter = Cutter(options.cutter, sparse=sparse)
        self._announced_rate: Fraction | None = None
        self._announced_bitrate: TrackBitrate | None = None
        self._frame_clock: FrameClock | None = None
        self._source = Source()
        self._end = 0
        self._tracks = TrackSet(recorder, part_target=options.part_target, zero_ms=zero_ms, unix_ns=unix_ns)
        self.transcoding = Transcoding(self, clock=clock)

    @property
    def sparse(self) -> bool:
        """Whether the source's keyframes are too far apart to pass it through."""
        return self._cutter.sparse

    def attach(self) -> None:
        """A publisher begins to send, the first or one that came back."""
        self._source = Source()
        self.meter.restart()

    def detach(self) -> None:
        """The publisher is lost, perhaps for a while: complete what it sent, for nobody should wait for the rest of
        a segment that may never come."""
        if self._source.joined:
            self._tracks.close()

    def on_metadata(self, metadata: Mapping[str, object]) -> None:
        self._source.gate.on_metadata(metadata)
        rate = metadata.get("framerate")
        if isinstance(rate, int | float) and 1 <= rate <= 240:
            self._announced_rate = named_rate(float(rate))
        kilobits = metadata.get("videodatarate")
        if isinstance(kilobits, int | float) and 1 <= kilobits <= 1_000_000:
            self._announced_bitrate = TrackBitrate(max_bps=round(kilobits * 1000), avg_bps=round(kilobits * 1000))

    def on_config(self, config: TrackConfig) -> None:
        """The source's configuration, the first or a changed one."""
        source = self._source
        if isinstance(config, VideoConfig):
            source.gate.video = config
        else:
            source.gate.audio = config
        if source.joined:
            self._configure(source.gate.video, source.gate.audio)

    def on_unit(self, unit: AccessUnit) -> None:
        source = self._source
        if source.joined:
            if unit.kind is VIDEO:
                self._take_video(unit)
            else:
                self._take_audio(unit)
            return
        if source.first_ns is None:
            source.first_ns = self._unix_ns()
        source.waiting.append(unit)
        scale = VIDEO_TIMESCALE if unit.kind is VIDEO else self._audio_rate(source)
        waited_ms = unit.dts * 1000 // scale
        if source.gate.opens(waited_ms) or len(source.waiting) > MAX_GATE_UNITS:
            self._join(source)

    def on_dropped(self, reason: str) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1

    def tick(self, now: float, unix: float) -> None:
        """About once a second: measure, and say what is wrong in words."""
        self.meter.tick(now, unix)
        interval = self.meter.keyframe_interval_s
        if interval is not None and interval > KEYFRAME_ADVICE_S:
            text = f"keyframe every {interval:.1f} s: set Keyframe Interval to 2 s in OBS, Settings, Output"
            if self._cutter.sparse:
                text += (
                    "; until then the top rendition is encoded anew, because viewers cannot join between keyframes"
                )
            self.warnings.report("keyframe-interval", text, now)
        else:
            self.warnings.clear("keyframe-interval")
        if (error := self.recorder.store_trouble) is not None:
            self.warnings.report("store", f"the store does not take uploads: {error}", now)
        else:
            self.warnings.clear("store")

    def keyframes_are_sparse(self) -> bool:
        interval = self.meter.keyframe_interval_s
        return interval is not None and interval * VIDEO_TIMESCALE > self._options.cutter.max_keyframe_interval

    async def finish(self, timeout: float) -> None:
        """Bring out what is still being encoded and complete every segment."""
        if not self._source.joined and self._source.waiting:
            self._join(self._source)
        await self.transcoding.finish(timeout)
        self._tracks.close()

    # What the transcoder's children make (TranscodingSink).

    def on_encoded_config(self, track: str, config: TrackConfig) -> None:
        if isinstance(config, VideoConfig):
            self._configure_rung(track, config)
        else:
            self._tracks.configure_audio(track, config, silence_after=SILENCE_AFTER_ENCODED, late=True)

    def on_encoded_unit(self, track: str, unit: AccessUnit) -> None:
        if unit.kind is VIDEO:
            self.latency.encoded(track, unit)
            self._tracks.add_video(track, unit)
        else:
            self._tracks.add_audio(track, unit, alone=self.video is None)

    def on_decoded(self, pts: int, at_ns: int) -> None:
        self.latency.decoded(SOURCE_TRACK, pts, at_ns)

    def on_transcoder_died(self, reason: str) -> None:
        self.warnings.report(
            "transcoder-died", f"the transcoder died and is started again: {reason}", self._clock()
        )

    def on_transcoder_overrun(self, dropping: bool) -> None:
        if dropping:
            text = (
                "this machine cannot encode the ladder in real time: renditions lose frames; use fewer or smaller "
                "renditions, a faster preset or a hardware encoder"
            )
            self.warnings.report("transcoder-overrun", text, self._clock())
        else:
            self.warnings.clear("transcoder-overrun")

    # The source's timeline.

    def _audio_rate(self, source: Source) -> int:
        return source.gate.audio.sample_rate if source.gate.audio else VIDEO_TIMESCALE

    def _join(self, source: Source) -> None:
        source.joined = True
        if self._cutter.started:
            elapsed = round((self._clock() - self._started) * VIDEO_TIMESCALE)
            source.base = max(elapsed, self._end + RETURN_GAP)
            self._configure(source.gate.video, source.gate.audio, returning=True)
        else:
            self._begin(source)
            self._configure(source.gate.video, source.gate.audio)
        waiting, source.waiting = source.waiting, []
        for unit in waiting:
            self.on_unit(unit)

    def _begin(self, source: Source) -> None:
        """Broadcast time zero is when the first frame came, or a little before."""
        if self._options.transcode.latency is LatencyMode.NORMAL:
            source.base = REORDERING_ROOM
        if source.first_ns is not None:
            zero_ns = source.first_ns - source.base * 1_000_000_000 // VIDEO_TIMESCALE
            self._started = self._clock() - (self._unix_ns() - zero_ns) / 1e9
            self._tracks.zero_ms = zero_ns // 1_000_000
            self.recorder.begin(self._tracks.zero_ms)

    def _configure(self, video: VideoConfig | None, audio: AudioConfig | None, *, returning: bool = False) -> None:
        """Plan the tracks for a source that is new, came back or changed."""
        changed = (video, audio) != (self.video, self.audio)
        if self._cutter.started and (changed or returning):
            self._cutter.discontinue()
            self._tracks.discontinue()
        if video is not None and (video != self.video or returning):
            self.frame_rate = self._announced_rate or video.frame_rate
            self._frame_clock = FrameClock(self.frame_rate) if self.frame_rate else None
        if audio is not None:
            self._source.audio_base = rescale(self._source.base, VIDEO_TIMESCALE, audio.sample_rate)
        self.video, self.audio = video, audio
        if changed or not self._tracks:
            self._plan()

    def _plan(self) -> None:
        options = self._options
        plan = plan_tracks(
            self.video,
            self.audio,
            self.frame_rate,
            options.ladder,
            encode_top=self._cutter.sparse,
            low_audio_bps=options.transcode.low_audio_bps,
        )
        self.plan = plan
        if not self._cutter.started:
            self._fix_part_target()
        for track in plan.tracks:
            self.recorder.expect(track.name, track.kind, default=track.default, label=track.label)
        if plan.passes_video and self.video is not None:
            self._tracks.video(SOURCE_TRACK).configure(self.video, self.frame_rate, self._announced_bitrate)
        if plan.audio_passthrough is not None and self.audio is not None:
            self._tracks.configure_audio(plan.audio_passthrough, self.audio, silence_after=SILENCE_AFTER_SOURCE)
        for rung in plan.rungs:
            self._tracks.video(rung.track)
        if plan.rungs or plan.audio_rungs:
            video = replace(self.video, frame_rate=self.frame_rate) if plan.rungs and self.video else None
            audio = self.audio if plan.audio_rungs else None
            self.transcoding.begin(Job(video, plan.rungs, audio, plan.audio_rungs, options.transcode))

    def _fix_part_target(self) -> None:
        """Fix how long parts are, for the whole broadcast: PART-TARGET never changes."""
        divisor = max((rung.frame_divisor for rung in self.plan.rungs), default=1)
        rate = self.frame_rate / divisor if self.frame_rate and self.video is not None else None
        ticks = self._tracks.part_target = part_ticks(self._options.part_target, rate)
        if self._options.low_latency:
            longest_us = -(-ticks * 1_000_000 // VIDEO_TIMESCALE)
            self.recorder.go_low_latency(LowLatency(part_target_us=longest_us))

    def _take_video(self, unit: AccessUnit) -> None:
        self.meter.add_video(unit)
        _, dts, cts, key, payload = unit
        if self._frame_clock is not None:
            dts, cts = self._frame_clock.snap(dts, cts)
        dts += self._source.base
        unit = AccessUnit(VIDEO, dts, cts, key, payload)
        plan, cutter = self.plan, self._cutter
        self.latency.received(unit.pts, passed=plan.passes_video, encoded=bool(plan.rungs))
        if dts > self._end:
            self._end = dts
        was_sparse = cutter.sparse
        cut = cutter.video(unit)
        if cutter.sparse and not was_sparse:
            self._plan()
            plan = self.plan
        if cut is not None:
            self._apply(cut, key=key)
        if plan.passes_video:
            self._tracks.add_video(SOURCE_TRACK, unit)
        if plan.rungs:
            self.transcoding.feed(unit)
        if key and self.video is not None:
            self._on_keyframe(self.video, unit)
        self._tracks.advance(dts)

    def _take_audio(self, unit: AccessUnit) -> None:
        self.meter.add_audio(unit)
        audio, alone = self.audio, self.video is None
        if audio is None:
            return
        if base := self._source.audio_base:
            unit = AccessUnit(AUDIO, base + unit.dts, 0, True, unit.payload)
        pts = rescale(unit.dts, audio.sample_rate, VIDEO_TIMESCALE)
        if pts > self._end:
            self._end = pts
        cut = self._cutter.audio(pts, alone=alone)
        if cut is not None:
            self._apply(cut, key=False)
        if self.plan.audio_passthrough is not None:
            self._tracks.add_audio(self.plan.audio_passthrough, unit, alone=alone)
        if self.plan.audio_rungs:
            self.transcoding.feed(unit)

    def _apply(self, cut: Cut, *, key: bool) -> None:
        self.transcoding.cut(cut.pts, key=key)
        self._tracks.cut(cut)

    def _configure_rung(self, name: str, config: VideoConfig) -> None:
        rung = next((rung for rung in self.plan.rungs if rung.track == name), None)
        if rung is not None:
            rate = self.frame_rate / rung.frame_divisor if self.frame_rate else None
            self._tracks.video(name).configure(config, rate, TrackBitrate(rung.max_bitrate_bps, rung.bitrate_bps))
