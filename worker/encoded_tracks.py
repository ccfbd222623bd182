"""Writes the transcoder's output to the tracks of a broadcast."""

from collections.abc import Callable
from fractions import Fraction

from media.configs import TrackConfig, VideoConfig
from media.units import VIDEO_TIMESCALE, AccessUnit, Kind
from packager.cmaf.bitrate import TrackBitrate
from storage.catalogue.events import EventCode
from transcoder.ladder import SOURCE_TRACK
from worker.advice import Advice
from worker.event_log import EventSink
from worker.latency import LatencyTrace
from worker.track_plan import TrackPlan
from worker.track_set import TrackSet

# How far video may run ahead of encoded audio before silence fills in, in 90 kHz ticks.
SILENCE_AFTER = 4 * VIDEO_TIMESCALE
# Used for every frame: reading a module global costs a tenth of reading an enumeration's member.
VIDEO = Kind.VIDEO


class EncodedTracks:
    """A :class:`~worker.transcoding.TranscodingSink`. ``clock`` returns monotonic seconds; ``on_rung_stopped`` is
    called for the sink."""

    def __init__(
        self,
        tracks: TrackSet,
        latency: LatencyTrace,
        advice: Advice,
        clock: Callable[[], float],
        events: EventSink,
        on_rung_stopped: Callable[[str], None],
    ) -> None:
        self._plan = TrackPlan()
        self._frame_rate: Fraction | None = None
        self._audio_alone = False
        # While the slate is on, what was encoded before it is too late.
        self.slate_on = False
        self._tracks = tracks
        self._latency = latency
        self._advice = advice
        self._clock = clock
        self._on_rung_stopped = on_rung_stopped
        self._events = events

    def set_plan(self, plan: TrackPlan, frame_rate: Fraction | None, *, audio_alone: bool) -> None:
        """Set the plan of a source. ``frame_rate`` is the source's; ``audio_alone``: the source has no video."""
        self._plan, self._frame_rate, self._audio_alone = plan, frame_rate, audio_alone

    def on_encoded_config(self, track: str, config: TrackConfig) -> None:
        if not isinstance(config, VideoConfig):
            self._tracks.configure_late_audio(track, config, silence_after=SILENCE_AFTER)
            return
        rendition = next((rung for rung in self._plan.rungs if rung.track == track), None)
        if rendition is not None:
            rate = self._frame_rate / rendition.frame_divisor if self._frame_rate else None
            bitrate = TrackBitrate(rendition.max_bitrate_bps, rendition.bitrate_bps)
            self._tracks.video(track).configure(config, rate, bitrate)

    def on_encoded_unit(self, track: str, unit: AccessUnit) -> None:
        if self.slate_on:
            return
        if unit.kind is VIDEO:
            self._latency.encoded(track, unit)
            self._tracks.add_video(track, unit)
        else:
            self._tracks.add_audio(track, unit, alone=self._audio_alone)

    def on_decoded(self, pts: int, at_ns: int) -> None:
        self._latency.decoded(SOURCE_TRACK, pts, at_ns)

    def on_transcoder_died(self, reason: str) -> None:
        self._tracks.abandon(rung.track for rung in self._plan.rungs)
        self._advice.on_transcoder_died(reason, self._clock())
        text = f"the transcoder died and is replaced, so its renditions have a gap: {reason}"
        self._events.add(EventCode.TRANSCODER_REPLACED, text, reason=reason)

    def on_rung_stopped(self, track: str) -> None:
        self._on_rung_stopped(track)
