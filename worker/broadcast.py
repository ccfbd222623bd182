"""A broadcast: from the units of its publishers to the tracks of its recorder.

    units ─▶ source timeline ─▶ cutter ─▶ passthrough tracks ─┐
                    └─────────▶ transcoding ─▶ encoded tracks ─┴▶ recorder

A publisher that returns, or takes the place of another, continues the broadcast: its timestamps are shifted behind
the end of the timeline, and its first keyframe starts a discontinuity.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from math import inf

from ingest.track_start import TimingProblem
from media.configs import AudioConfig, TrackConfig, VideoConfig
from media.errors import MediaLimit
from media.timescale import MICROSECONDS, MILLISECONDS, NANOSECONDS, rescale
from media.units import VIDEO_TIMESCALE, AccessUnit, Kind
from packager.cmaf.cut import Cut
from packager.cmaf.cutter import Cutter
from packager.cmaf.frame_interval import FrameInterval
from packager.errors import UnsupportedTrack
from packager.facts import LowLatency
from storage.catalogue.events import EventCode
from transcoder.ladder import SOURCE_TRACK
from transcoder.messages import Job
from transcoder.options import LatencyMode
from worker.advice import Advice
from worker.arrival_advice import Arrivals
from worker.broadcast_options import BroadcastOptions
from worker.broadcast_time import BroadcastTime
from worker.discontinuities import Cause, Discontinuities
from worker.encoded_tracks import EncodedTracks
from worker.encoding.ladder import BroadcastLadder
from worker.encoding.node import NodeEncoding
from worker.event_log import EventSink, NoEvents
from worker.latency import LatencyTrace, OnPart
from worker.media_clock import MediaClock
from worker.meter import SourceMeter
from worker.preroll import Preroll
from worker.rates import part_ticks
from worker.recorder import Recorder
from worker.slate import Slate, slate_job
from worker.slate_pictures import SlatePicture, SlateUnavailable
from worker.source_timeline import SourceStart, SourceTimeline, too_much_media
from worker.source_words import describe_source
from worker.still_picture import StillPicture
from worker.track_plan import TrackPlan, plan_tracks
from worker.track_set import TrackSet
from worker.transcoding import Transcoding

# How far video may run ahead of the source's audio before silence fills in, in 90 kHz ticks.
SILENCE_AFTER = VIDEO_TIMESCALE
# Encoders that reorder frames decode before they present, and no decoding time may come before time zero.
REORDERING_ROOM = VIDEO_TIMESCALE
# Seconds that a rendition may end before the source: the encoders' frames are not those of the source.
MISSING_S = 0.5
# Seconds that a lost publisher's frames may take through the encoders before their segments are completed.
ENCODERS_END_S = 1.0
# Used for every frame: reading a module global costs a tenth of reading an enumeration's member.
VIDEO, AUDIO = Kind.VIDEO, Kind.AUDIO
# A broadcast carries the first track of each of these kinds.
CARRIED = (VIDEO, AUDIO)


class Broadcast:
    """One broadcast, without sockets. ``clock`` returns monotonic seconds, and ``unix_ns`` Unix nanoseconds.
    ``on_keyframe`` is called with each keyframe of the source, ``on_part`` as :class:`LatencyTrace` says.
    Broadcasts that share processors share ``encoding``. ``events`` gets what the operator should know.
    """

    def __init__(
        self,
        recorder: Recorder,
        options: BroadcastOptions,
        *,
        clock: Callable[[], float],
        unix_ns: Callable[[], int],
        on_keyframe: Callable[[VideoConfig, AccessUnit], None],
        on_part: OnPart = lambda encoded, seconds: None,
        encoding: NodeEncoding | None = None,
        events: EventSink | None = None,
    ) -> None:
        ledger = recorder.ledger
        self._events = events or NoEvents()
        self.discontinuities = Discontinuities(self._events)
        self.advice = Advice()
        self.meter = SourceMeter()
        self.dropped: dict[str, int] = {}
        self.repaired: dict[str, int] = {}
        self.latency = LatencyTrace(time.monotonic_ns, on_part)
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
        self._cutter = Cutter(
            options.cutter,
            sparse=ledger.sparse,
            after=ledger.last_cut,
            longest=ledger.fixed_target,
        )
        # When the first unit of a source arrived that waited on standby.
        self._arrived: float | None = None
        self._source = SourceTimeline(max_bytes=options.limits.start_bytes)
        # The source's bytes, of video and of audio, at which the open segment is too large.
        self._most_video = self._most_audio = options.limits.segment_bytes
        self._interval = FrameInterval()
        self._media_clock = MediaClock()
        self._attached = False
        # When the encoders' open segments end, because the publisher is lost.
        self._encoders_end = inf
        self._slate: Slate | None = None
        self._on_slate_over: Callable[[], None] = lambda: None
        self._still = StillPicture(self._cutter, options.cutter.max_keyframe_interval)
        self._preroll = Preroll()
        self._tracks = TrackSet(ledger, recorder, unix_ns=unix_ns)
        self._encoded = EncodedTracks(
            self._tracks,
            self.latency,
            self.advice,
            clock,
            self._events,
            on_rung_stopped=lambda track: self.ladder.on_stopped(track),
        )
        self.transcoding = Transcoding(self._encoded, clock=clock, context=recorder.log_context)
        self.ladder = BroadcastLadder(
            encoding or NodeEncoding(),
            recorder,
            self._tracks,
            self.transcoding,
            self.advice.encoding,
            self._events,
        )

    @property
    def sparse(self) -> bool:
        """Whether the source's keyframes are too far apart to pass it through."""
        return self._cutter.sparse

    @property
    def start_bytes(self) -> int:
        """The bytes that a source may send before it is on the timeline."""
        return self._options.limits.start_bytes

    @property
    def arrived(self) -> int:
        """A number that changes whenever a unit arrives."""
        return self.meter.frames + self.meter.sounds + self._source.waiting

    def attach(self, start: SourceStart | None = None) -> None:
        """Prepare for a publisher that begins to send, the first one or one that returns. ``start`` is the first
        unit of one that has been sending before."""
        self._arrived = start.arrived if start is not None else None
        self._source = SourceTimeline(
            self._source.announcement,
            max_bytes=self.start_bytes,
            origin=start.dts if start is not None else 0,
            first_ns=self._unix_ns_at(self._arrived) if self._arrived is not None else None,
        )
        self._limit_segment()
        self._still.reset()
        self._media_clock.restart()
        self._attached = True
        if start is None:
            self._complete_encoded()
        # After a switch, the frames that the encoders have still belong before the next cut.
        self._encoders_end = inf
        self.meter.restart()
        self.advice.on_new_publisher()
        self.advice.arrivals.attach(self._clock())

    def detach(self) -> None:
        """Complete the open segments: the lost publisher may never return to send the rest. Encoders get a moment
        for the frames that they have."""
        self._attached = False
        self.advice.arrivals.detach()
        if self._source.joined:
            self._tracks.close(self._cutter.segment_end, self._passed())
            self._encoders_end = self._clock() + ENCODERS_END_S

    @property
    def awaits_publisher(self) -> bool:
        """Whether the broadcast has begun, and no media of a publisher arrives."""
        return self._cutter.started and not (self._attached and self._source.joined)

    def slate_job(self) -> Job | None:
        """The job that encodes the slate's pictures; None if the broadcast is sound alone. Raises
        SlateUnavailable."""
        if not self._cutter.started:
            raise SlateUnavailable("the broadcast has no media yet")
        if not self._tracks.has_silence:
            raise SlateUnavailable(f"there is no silence for this sound ({describe_source(None, self.audio)})")
        if self.video is None:
            return None
        video = replace(self.video, frame_rate=self.frame_rate)
        return slate_job(video, self.frame_rate, self.plan, self.ladder.off, self._options.transcode)

    def begin_slate(self, pictures: Mapping[str, SlatePicture], on_over: Callable[[], None]) -> None:
        """Show the slate until a publisher's media joins, or :meth:`end_slate`; then ``on_over`` is called."""
        self._complete_encoded()
        self._cutter.discontinue()
        self._tracks.discontinue()
        self._encoded.slate_on, self._on_slate_over = True, on_over
        self._slate = Slate(
            pictures,
            self._time.return_base(),
            cutter=self._cutter,
            tracks=self._tracks,
            ledger=self._ledger,
            on_cut=self._apply_slate_cut,
        )

    def advance_slate(self) -> float | None:
        """Write the slate up to now. Returns the seconds until its next frame; None if it is over."""
        if self._slate is None:
            return None
        now = self._time.at(self._clock())
        return (self._slate.advance(now) - now) / VIDEO_TIMESCALE

    def end_slate(self) -> None:
        slate, self._slate, self._encoded.slate_on = self._slate, None, False
        if slate is not None:
            slate.close()
            self._on_slate_over()

    def on_metadata(self, metadata: Mapping[str, object]) -> None:
        self._source.on_metadata(metadata)

    def on_config(self, config: TrackConfig) -> None:
        """Take the source's configuration, the first or a changed one. Raises MediaLimit."""
        self._source.on_config(config)
        if self._source.joined:
            self._configure()

    def on_unit(self, unit: AccessUnit) -> None:
        """Raises MediaLimit, after which the publisher must not send any more."""
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
        meter, advice = self.meter, self.advice
        meter.tick(now, unix)
        if now >= self._encoders_end:
            self._complete_encoded()
        if self._cutter.sound_alone:
            self._recorder.stop_waiting()
        advice.on_keyframe_interval(
            meter.keyframe_interval_s, meter.since_keyframe_s, now, encodes_top=self._cutter.sparse
        )
        advice.arrivals.review(self._arrivals(), now)
        advice.picture.review(self.video, now, passed=self.plan.passes_video)
        self._follow_media(now, unix)
        advice.on_store(self._recorder.store_error, self._recorder.oldest_upload_s(now), now)
        self.ladder.review(now)
        advice.media.review({**self.dropped, **self.repaired, **self.transcoding.problems}, now)

    def _arrivals(self) -> Arrivals:
        source, meter = self._source, self.meter
        declared = source.announcement.frame_rate or (self.video.frame_rate if self.video else None)
        return Arrivals(
            expects_video=source.expects_video,
            expects_audio=source.expects_audio,
            frames=meter.frames,
            sounds=meter.sounds,
            keyframe=meter.since_keyframe_s is not None,
            end_s=self._ledger.end / VIDEO_TIMESCALE,
            video_s=meter.video_s,
            declared=declared,
            usual=self.frame_rate,
        )

    def _follow_media(self, now: float, unix: float) -> None:
        """Let the broadcast's clock follow its media."""
        clock, ledger = self._media_clock, self._ledger
        if not self._source.joined:
            return
        if clock.sample(ledger.zero_ms + ledger.end // (VIDEO_TIMESCALE // MILLISECONDS), now, unix):
            self._recorder.set_clock(clock.offset_ms)
        # A publisher that is gone is no drift.
        if self._attached:
            self.advice.on_media_clock(clock.offset_ms, clock.step_ms, now)

    def source_age_ns(self, track: str, pts: int) -> int | None:
        """Nanoseconds since the source's frame arrived from which an encoder made the frame of ``track`` at ``pts``
        (90 kHz ticks); None if the track is not an encoded video, or the frame is not remembered."""
        encoded = any(rung.track == track for rung in self.plan.rungs)
        return self.latency.age_ns(pts) if encoded else None

    def keyframes_are_sparse(self) -> bool:
        intervals = (self.meter.keyframe_interval_s, self.meter.since_keyframe_s)
        return any(interval is not None and self._is_long(interval) for interval in intervals)

    def _is_long(self, keyframe_interval_s: float) -> bool:
        return keyframe_interval_s * VIDEO_TIMESCALE > self._options.cutter.max_keyframe_interval

    async def finish(self, timeout: float) -> Mapping[str, float]:
        """Complete every segment. Tracks without an encoder end at once; the others wait at most ``timeout``
        seconds for the transcoder's last frames. Returns the seconds that each of them lacks at the end."""
        if not self._source.joined and self._source.waiting:
            with suppress(MediaLimit):
                self._join()
        self.end_slate()
        self.ladder.close()
        passed = self._passed()
        self._tracks.close(self._cutter.segment_end, passed)
        self._recorder.end_tracks(passed)
        await self.transcoding.finish(timeout)
        self._tracks.close(self._cutter.segment_end)
        return self._missing_at_end()

    def _complete_encoded(self) -> None:
        """Complete the encoded tracks' segments that a lost publisher left open."""
        if self._encoders_end < inf:
            self._encoders_end = inf
            self._tracks.close(self._cutter.segment_end)

    def _passed(self) -> list[str]:
        """The tracks without an encoder."""
        return [name for name in self._ledger.tracks if not self.plan.encodes(name)]

    def _missing_at_end(self) -> Mapping[str, float]:
        tracks = self._ledger.tracks
        end = max((track.media_end() for track in tracks.values()), default=0)
        off = self.ladder.off
        encoded = [track for name, track in tracks.items() if self.plan.encodes(name) and name not in off]
        missing = {track.track: (end - track.media_end()) / VIDEO_TIMESCALE for track in encoded}
        return {name: seconds for name, seconds in missing.items() if seconds >= MISSING_S}

    def _join(self) -> None:
        """Give the source its place on the broadcast's timeline, and take the units that waited."""
        self.end_slate()
        source = self._source
        returning = self._cutter.started
        if returning:
            # Reordered frames are presented later than the newest decoding time.
            source.join(max(self._time.return_base(self._arrived), self._cutter.reached + 1))
        else:
            normal = self._options.transcode.latency is LatencyMode.NORMAL
            source.join(self._time.begin(source.first_ns, REORDERING_ROOM if normal else 0))
        self._configure(returning=returning)
        for unit in source.take_waiting():
            self.on_unit(unit)

    def _unix_ns_at(self, now: float) -> int:
        """The Unix time in nanoseconds at a monotonic time in the recent past."""
        return self._unix_ns() - round((self._clock() - now) * NANOSECONDS)

    def _configure(self, *, returning: bool = False) -> None:
        """Plan the tracks for a source that is new, returned or changed."""
        video, audio = self._source.video, self._source.audio
        changed = (video, audio) != (self.video, self.audio)
        if self._cutter.started and (changed or returning):
            self.discontinuities.expect(Cause.PUBLISHER_RETURNED if returning else Cause.SOURCE_CHANGED)
            self._cutter.discontinue()
            self._tracks.discontinue()
            self._still.on_config()
        if video is not None and (video != self.video or returning):
            self.frame_rate = self._source.set_video(video)
            self._interval = FrameInterval()
        if audio is not None:
            self._source.set_audio(audio)
        if changed and (self.video is not None or self.audio is not None):
            before, after = describe_source(self.video, self.audio), describe_source(video, audio)
            text = f"the source changed from {before} to {after}"
            self._events.add(EventCode.SOURCE_CHANGED, text, before=before, after=after)
        self.video, self.audio = video, audio
        # A plan that was refused is made again, if the publisher returns.
        refused = self._cutter.sparse and self.plan.passes_video
        if changed or not self._tracks or refused:
            self._plan()
        self._encoded.set_plan(self.plan, self.frame_rate, audio_alone=video is None)

    def _plan(self, history: Sequence[AccessUnit] = ()) -> None:
        """``history``: the source's video since its last keyframe, if an encoder is to start before the next.
        Raises NoEncodingRoom."""
        options = self._options
        plan = plan_tracks(
            self.video,
            self.audio,
            self.frame_rate,
            options.ladder,
            encode_top=self._cutter.sparse,
            low_audio_bps=options.transcode.low_audio_bps,
        )
        self.ladder.plan(plan.rungs, self.frame_rate, passes_video=plan.passes_video)
        self.plan, off = plan, self.ladder.off
        made = [track for track in plan.tracks if track.name not in off]
        if self._ledger.part_ticks is None or not self._cutter.started:
            self._fix_part_target()
        for track in made:
            self._recorder.expect(track.name, track.kind, default=track.default, label=track.label)
        self._recorder.retire_renditions([track.name for track in made])
        if plan.passes_video and self.video is not None:
            bitrate = self._source.announcement.bitrate
            self._tracks.video(SOURCE_TRACK).configure(self.video, self.frame_rate, bitrate)
        if plan.audio_passthrough is not None and self.audio is not None:
            name = plan.audio_passthrough
            self._tracks.configure_audio(
                name, self.audio, silence_after=SILENCE_AFTER, on_late=lambda: self.on_dropped("late-audio")
            )
        for rung in plan.rungs:
            self._tracks.video(rung.track)
        if plan.rungs or plan.audio_rungs:
            video = replace(self.video, frame_rate=self.frame_rate) if plan.rungs and self.video else None
            audio = self.audio if plan.audio_rungs else None
            self.transcoding.begin(Job(video, plan.rungs, audio, plan.audio_rungs, options.transcode, off), history)

    def _fix_part_target(self) -> None:
        """Set the duration of parts, which is fixed for the broadcast: PART-TARGET must not change."""
        divisor = max((rung.frame_divisor for rung in self.plan.rungs), default=1)
        rate = self.frame_rate / divisor if self.frame_rate and self.video is not None else None
        ticks = self._ledger.part_ticks = part_ticks(self._options.part_target, rate)
        if self._options.low_latency:
            longest_us = -(-ticks * MICROSECONDS // VIDEO_TIMESCALE)
            self._ledger.low_latency = LowLatency(part_target_us=longest_us)

    def _take_video(self, unit: AccessUnit) -> None:
        meter = self.meter
        meter.add_video(unit)
        if meter.video_bytes > self._most_video:
            self._check_segment()
        unit = self._source.place_video(unit)
        still = self._still
        if still.shown and not self._ends_still(unit):
            self.on_dropped("late-video")
            return
        plan = self.plan
        self.latency.received(unit.dts + unit.cts, passed=plan.passes_video, encoded=bool(plan.rungs))
        self._use_video(unit)
        still.on_frame(unit, self._interval.latest)
        if unit.key and self.video is not None:
            self._on_keyframe(self.video, unit)

    def _use_video(self, unit: AccessUnit, *, repeated: bool = False) -> None:
        """Cut and write a frame of the source, or a repeated one."""
        _, dts, _, key, _, _ = unit
        plan, cutter = self.plan, self._cutter
        if self._interval.follows_hole(dts):
            self._discontinue_at_hole(dts)
        self._interval.add(dts)
        if dts > self._ledger.end:
            self._ledger.end = dts
        was_sparse = cutter.sparse
        cut = cutter.repeated(unit) if repeated else cutter.video(unit)
        if cutter.sparse and not was_sparse:
            self._ledger.sparse = True
            self.discontinuities.expect(Cause.KEYFRAMES_MISSING)
            if plan.passes_video:
                history = self._preroll.take()
                self._plan(() if key else history)
                self._encoded.set_plan(self.plan, self.frame_rate, audio_alone=False)
                plan = self.plan
        if cut is not None:
            self._apply(cut, key=key)
        if plan.passes_video:
            self._tracks.add_video(SOURCE_TRACK, unit)
            if self._options.cutter.free_cuts:
                self._preroll.add(unit)
        if plan.rungs:
            self.transcoding.feed(unit)
        self._tracks.advance(dts)

    def _ends_still(self, unit: AccessUnit) -> bool:
        """Whether the source's video continues with ``unit``; then the repeated picture lasts until it."""
        if not self._still.ends_with(unit, sparse=self._cutter.sparse):
            return False
        self._repeat(self._still.rest(unit, self._part_ticks))
        return True

    def _repeat(self, units: Iterable[AccessUnit]) -> None:
        for unit in units:
            self._use_video(unit, repeated=True)

    @property
    def _part_ticks(self) -> int:
        assert self._ledger.part_ticks is not None, "the part duration is set before the first frame"
        return self._ledger.part_ticks

    def _discontinue_at_hole(self, end: int) -> None:
        """The source's video continues at ``end`` after a hole: the next keyframe starts a discontinuity on every
        track, also on those that went on."""
        if self._cutter.started:
            hole = end - self._interval.end
            self.discontinuities.expect(Cause.HOLE, hole_s=hole / VIDEO_TIMESCALE)
            self._cutter.discontinue(end)
            self._tracks.discontinue_at_hole(self._interval.end, end)

    def _take_audio(self, unit: AccessUnit) -> None:
        meter = self.meter
        meter.add_audio(unit)
        if meter.audio_bytes > self._most_audio:
            self._check_segment()
        audio, alone = self.audio, self.video is None
        if audio is None:
            return
        unit = self._source.place_audio(unit)
        pts = rescale(unit.dts, audio.sample_rate, VIDEO_TIMESCALE)
        if pts > self._ledger.end:
            self._ledger.end = pts
        if alone and self._cutter.started and self._cutter.follows_hole(pts):
            self.discontinuities.expect(Cause.HOLE)
            self._cutter.discontinue()
            self._tracks.discontinue()
        self._repeat(self._still.on_audio(pts, self._part_ticks))
        cut = self._cutter.audio(pts, alone=alone)
        if cut is not None:
            self._apply(cut, key=False)
        if self.plan.audio_passthrough is not None:
            self._tracks.add_audio(self.plan.audio_passthrough, unit, alone=alone)
        if self.plan.audio_rungs:
            self.transcoding.feed(unit)

    def _check_segment(self) -> None:
        """The source has sent too much since the newest cut. Raises TooMuchMedia if that is kept."""
        if self._cutter.started:
            raise too_much_media("without a keyframe to start a segment with", self._options.limits.segment_bytes)

    def _limit_segment(self) -> None:
        meter, most = self.meter, self._options.limits.segment_bytes
        self._most_video, self._most_audio = meter.video_bytes + most, meter.audio_bytes + most

    def _apply(self, cut: Cut, *, key: bool) -> None:
        self._limit_segment()
        since_key = self.meter.since_keyframe_s
        # Without keyframes, a transcoder that died starts again where it can.
        starts = key or (self._cutter.sparse and since_key is not None and self._is_long(since_key))
        self.transcoding.cut(cut.pts, key=starts)
        self._begin_segment(cut, encoding=self.transcoding.running)

    def _apply_slate_cut(self, cut: Cut) -> None:
        """The slate has every rendition, whether its encoder runs or not."""
        if cut.discontinuity:
            self.discontinuities.expect(Cause.SLATE)
        self._begin_segment(cut, encoding=True)

    def _begin_segment(self, cut: Cut, *, encoding: bool) -> None:
        if cut.discontinuity:
            self.discontinuities.begin(cut.msn)
        self._tracks.cut(cut, self._cutter.next_cut, encoding=encoding)
        self._recorder.note_cut()
