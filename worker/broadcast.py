"""A broadcast: from the units of its publishers to the tracks of its recorder.

    units ─▶ source timeline ─▶ cutter ─▶ passthrough tracks ─┐
                    └─────────▶ transcoding ─▶ encoded tracks ─┴▶ recorder

A publisher that returns continues the broadcast: its timestamps are shifted behind the end of the timeline, and its
first keyframe starts a discontinuity.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from ingest.track_start import TimingProblem
from media.configs import AudioConfig, TrackConfig, VideoConfig
from media.timescale import MICROSECONDS, rescale
from media.units import VIDEO_TIMESCALE, AccessUnit, Kind
from packager.cmaf.cutter import Cut, Cutter
from packager.cmaf.frame_interval import FrameInterval
from packager.errors import UnsupportedTrack
from packager.facts import LowLatency
from transcoder.ladder import SOURCE_TRACK
from transcoder.messages import Job
from transcoder.options import LatencyMode
from worker.advice import Advice
from worker.broadcast_options import BroadcastOptions
from worker.broadcast_time import BroadcastTime
from worker.encoded_tracks import EncodedTracks
from worker.latency import LatencyTrace
from worker.meter import SourceMeter
from worker.rates import part_ticks
from worker.recorder import Recorder
from worker.source_timeline import SourceTimeline
from worker.track_plan import TrackPlan, plan_tracks
from worker.track_set import TrackSet
from worker.transcoding import Transcoding

# How far video may run ahead of the source's audio before silence fills in, in 90 kHz ticks.
SILENCE_AFTER = VIDEO_TIMESCALE
# Encoders that reorder frames decode before they present, and no decoding time may come before time zero.
REORDERING_ROOM = VIDEO_TIMESCALE
# Used for every frame: reading a module global costs a tenth of reading an enumeration's member.
VIDEO, AUDIO = Kind.VIDEO, Kind.AUDIO
# A broadcast carries the first track of each of these kinds.
CARRIED = (VIDEO, AUDIO)


class Broadcast:
    """One broadcast, without sockets. ``clock`` returns monotonic seconds, and ``unix_ns`` Unix nanoseconds.
    ``on_keyframe`` is called with each keyframe of the source.
    """

    def __init__(
        self,
        recorder: Recorder,
        options: BroadcastOptions,
        *,
        clock: Callable[[], float],
        unix_ns: Callable[[], int],
        on_keyframe: Callable[[VideoConfig, AccessUnit], None],
    ) -> None:
        ledger = recorder.ledger
        self.advice = Advice()
        self.meter = SourceMeter()
        self.dropped: dict[str, int] = {}
        self.repaired: dict[str, int] = {}
        self.latency = LatencyTrace(time.monotonic_ns)
        self.video: VideoConfig | None = None
        self.audio: AudioConfig | None = None
        self.frame_rate: Fraction | None = None
        self.plan = TrackPlan()
        self._recorder = recorder
        self._ledger = ledger
        self._options = options
        self._clock = clock
        self._unix_ns = unix_ns
        self._on_keyframe = on_keyframe
        self._time = BroadcastTime(ledger, clock=clock, unix_ns=unix_ns)
        self._cutter = Cutter(options.cutter, sparse=ledger.sparse, after=ledger.last_cut)
        self._source = SourceTimeline()
        self._interval = FrameInterval()
        self._tracks = TrackSet(ledger, recorder, unix_ns=unix_ns)
        self._encoded = EncodedTracks(self._tracks, self.latency, self.advice, clock)
        self.transcoding = Transcoding(self._encoded, clock=clock)

    @property
    def sparse(self) -> bool:
        """Whether the source's keyframes are too far apart to pass it through."""
        return self._cutter.sparse

    def attach(self) -> None:
        """Prepare for a publisher that begins to send, the first one or one that returns."""
        self._source = SourceTimeline(self._source.announcement)
        self.meter.restart()
        self.advice.on_new_publisher()

    def detach(self) -> None:
        """Complete the open segments: the lost publisher may never return to send the rest."""
        if self._source.joined:
            self._tracks.close()

    def on_metadata(self, metadata: Mapping[str, object]) -> None:
        self._source.on_metadata(metadata)

    def on_config(self, config: TrackConfig) -> None:
        """Take the source's configuration, the first or a changed one."""
        self._source.on_config(config)
        if self._source.joined:
            self._configure()

    def on_unit(self, unit: AccessUnit) -> None:
        source = self._source
        kind = unit.kind
        if unit.track or kind not in CARRIED:
            self.on_dropped(UnsupportedTrack.code)
        elif source.joined:
            if kind is VIDEO:
                self._take_video(unit)
            else:
                self._take_audio(unit)
        elif source.wait(unit, self._unix_ns()):
            self._join()

    def on_dropped(self, reason: str) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1

    def on_repaired(self, reason: str) -> None:
        self.repaired[reason] = self.repaired.get(reason, 0) + 1

    def on_timing(self, problem: TimingProblem) -> None:
        self.advice.on_timing(problem, self._clock())

    def tick(self, now: float, unix: float) -> None:
        """Measure the source and review the warnings. Call it about once a second: ``now`` is monotonic seconds,
        ``unix`` Unix seconds."""
        self.meter.tick(now, unix)
        self.advice.on_keyframe_interval(self.meter.keyframe_interval_s, now, encodes_top=self._cutter.sparse)
        self.advice.on_store(self._recorder.store_error, now)
        self.advice.media.review({**self.dropped, **self.repaired}, now)

    def keyframes_are_sparse(self) -> bool:
        interval = self.meter.keyframe_interval_s
        return interval is not None and interval * VIDEO_TIMESCALE > self._options.cutter.max_keyframe_interval

    async def finish(self, timeout: float) -> None:
        """Wait at most ``timeout`` seconds for the transcoder's last frames, then complete every segment."""
        if not self._source.joined and self._source.has_waiting:
            self._join()
        await self.transcoding.finish(timeout)
        self._tracks.close()

    def _join(self) -> None:
        """Give the source its place on the broadcast's timeline, and take the units that waited."""
        source = self._source
        returning = self._cutter.started
        if returning:
            source.join(self._time.return_base())
        else:
            normal = self._options.transcode.latency is LatencyMode.NORMAL
            source.join(self._time.begin(source.first_ns, REORDERING_ROOM if normal else 0))
        self._configure(returning=returning)
        for unit in source.take_waiting():
            self.on_unit(unit)

    def _configure(self, *, returning: bool = False) -> None:
        """Plan the tracks for a source that is new, returned or changed."""
        video, audio = self._source.video, self._source.audio
        changed = (video, audio) != (self.video, self.audio)
        if self._cutter.started and (changed or returning):
            self._cutter.discontinue()
            self._tracks.discontinue()
        if video is not None and (video != self.video or returning):
            self.frame_rate = self._source.set_video(video)
            self._interval = FrameInterval()
        if audio is not None:
            self._source.set_audio(audio)
        self.video, self.audio = video, audio
        if changed or not self._tracks:
            self._plan()
        self._encoded.set_plan(self.plan, self.frame_rate, audio_alone=video is None)

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
        if self._ledger.part_ticks is None or not self._cutter.started:
            self._fix_part_target()
        for track in plan.tracks:
            self._recorder.expect(track.name, track.kind, default=track.default, label=track.label)
        self._recorder.retire_renditions([track.name for track in plan.tracks])
        if plan.passes_video and self.video is not None:
            bitrate = self._source.announcement.bitrate
            self._tracks.video(SOURCE_TRACK).configure(self.video, self.frame_rate, bitrate)
        if plan.audio_passthrough is not None and self.audio is not None:
            name = plan.audio_passthrough
            self._tracks.configure_audio(name, self.audio, silence_after=SILENCE_AFTER)
        for rung in plan.rungs:
            self._tracks.video(rung.track)
        if plan.rungs or plan.audio_rungs:
            video = replace(self.video, frame_rate=self.frame_rate) if plan.rungs and self.video else None
            audio = self.audio if plan.audio_rungs else None
            self.transcoding.begin(Job(video, plan.rungs, audio, plan.audio_rungs, options.transcode))

    def _fix_part_target(self) -> None:
        """Set the duration of parts, which is fixed for the broadcast: PART-TARGET must not change."""
        divisor = max((rung.frame_divisor for rung in self.plan.rungs), default=1)
        rate = self.frame_rate / divisor if self.frame_rate and self.video is not None else None
        ticks = self._ledger.part_ticks = part_ticks(self._options.part_target, rate)
        if self._options.low_latency:
            longest_us = -(-ticks * MICROSECONDS // VIDEO_TIMESCALE)
            self._ledger.low_latency = LowLatency(part_target_us=longest_us)

    def _take_video(self, unit: AccessUnit) -> None:
        self.meter.add_video(unit)
        unit = self._source.place_video(unit)
        _, dts, cts, key, _, _ = unit
        plan, cutter = self.plan, self._cutter
        self.latency.received(dts + cts, passed=plan.passes_video, encoded=bool(plan.rungs))
        if self._interval.follows_hole(dts):
            self._discontinue_at_hole(dts)
        self._interval.add(dts)
        if dts > self._ledger.end:
            self._ledger.end = dts
        was_sparse = cutter.sparse
        cut = cutter.video(unit)
        if cutter.sparse and not was_sparse:
            self._ledger.sparse = True
            self._plan()
            self._encoded.set_plan(self.plan, self.frame_rate, audio_alone=False)
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

    def _discontinue_at_hole(self, end: int) -> None:
        """The source's video continues at ``end`` after a hole: the next keyframe starts a discontinuity on every
        track, also on those that went on."""
        if self._cutter.started:
            self._cutter.discontinue(end)
            self._tracks.discontinue_at_hole(self._interval.end, end)

    def _take_audio(self, unit: AccessUnit) -> None:
        self.meter.add_audio(unit)
        audio, alone = self.audio, self.video is None
        if audio is None:
            return
        unit = self._source.place_audio(unit)
        pts = rescale(unit.dts, audio.sample_rate, VIDEO_TIMESCALE)
        if pts > self._ledger.end:
            self._ledger.end = pts
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
