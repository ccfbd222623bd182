"""Converts the 32-bit millisecond timestamps of two FLV tracks to ticks on one continuous timeline.

The timeline starts at 0 with the first unit. A publisher's timestamps may start at any value, wrap at 2^32 ms,
stall, run backwards, or jump to a new base on both tracks. Decoding times still increase. A jump is reported as a
discontinuity, and the tracks keep their relation in the new base.
"""

from collections.abc import Callable
from typing import NamedTuple

from ingest.sample_clock import SampleClock
from ingest.timestamp_speed import TimestampSpeed
from ingest.track_clock import SharedBase, TrackClock
from ingest.track_distance import BEHIND_MS, TrackDistance
from ingest.track_start import APART, TimingProblem, TrackStart
from media.timescale import MILLISECONDS, rescale
from media.units import VIDEO_TIMESCALE

TICKS_PER_MS = VIDEO_TIMESCALE // MILLISECONDS


class Placement(NamedTuple):
    """``dts`` is in the track's timescale. ``discontinuity`` is true for the first unit in a new base. ``late`` is
    by how much ``dts`` is later than the timestamp: decoding times must increase even if the timestamps do not."""

    dts: int
    discontinuity: bool = False
    late: int = 0


class Timeline:
    """The timeline of one publication, with a video and an audio track.

    ``on_problem`` is called if the tracks start or stay apart, or if timestamps stand still or run at the wrong
    speed. A track whose timestamps stand still is placed at the time of the other track, as it arrives. Audio
    without such a track is counted in samples, and video is placed by ``clock``, which returns monotonic seconds.
    """

    def __init__(
        self,
        on_problem: Callable[[TimingProblem], None] = lambda problem: None,
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._on_problem = on_problem
        self._clock = clock
        self._held_since: float | None = None
        self._reported: set[str] = set()
        self._base = SharedBase()
        self._video = TrackClock(self._base)
        self._audio = TrackClock(self._base)
        self._last_dts = -1
        self._samples: SampleClock | None = None
        self._start: TrackStart | None = TrackStart(self._video, self._audio)
        self._speed = TimestampSpeed()
        # Saves a call per frame while the timestamps are right.
        self._corrects = False
        self._distance = TrackDistance()

    def set_audio(self, sample_rate: int, frame_samples: int) -> None:
        """Call before the first audio unit, and when the sample rate or the frame size changes."""
        before = self._samples
        if before is not None and before.has_format(sample_rate, frame_samples):
            return
        self._samples = SampleClock(sample_rate, frame_samples)
        if before is not None:
            self._samples.next_dts = rescale(before.next_dts, before.sample_rate, sample_rate)

    def video(self, timestamp: int) -> Placement:
        """Place a video unit. ``dts`` is in 90 kHz ticks and strictly increases."""
        if self._corrects:
            timestamp = self._speed.corrected(timestamp)
        at_ms, _, discontinuity = self._video.place(timestamp)
        if self._start is not None and self._watch_start(self._video, timestamp):
            at_ms = self._video.position[1]
        if self._video.stands:
            at_ms = self._hold_video(at_ms)
        if self._audio.at_ms - at_ms > BEHIND_MS:
            self._watch_distance("video", at_ms, self._audio.at_ms - at_ms)
        due = at_ms * TICKS_PER_MS
        dts = self._last_dts = max(due, self._last_dts + 1)
        self._base.extend(dts // TICKS_PER_MS + self._video.frame_ms)
        return Placement(dts, discontinuity, dts - due)

    def audio(self, timestamp: int) -> Placement | None:
        """Place an audio unit. ``dts`` is in samples; None if the unit must be dropped, because its time is taken.

        Units do not overlap, except by a correction of at most STEP_MS. Raises ValueError before :meth:`set_audio`.
        """
        samples = self._samples
        if samples is None:
            raise ValueError("audio has no sample rate yet")
        if self._speed.on_audio(timestamp, samples.frame_samples, samples.sample_rate, self._clock()):
            self._corrects = True
            self._report_speed()
        if self._corrects:
            timestamp = self._speed.corrected(timestamp)
        at_ms, rebased, discontinuity = self._audio.place(timestamp)
        if self._start is not None and self._watch_start(self._audio, timestamp):
            at_ms, rebased = self._audio.position[1], True
        if rebased:
            samples.reanchor()
        if self._audio.stands:
            at_ms = self._hold_audio(samples)
        if self._video.at_ms - at_ms > BEHIND_MS:
            self._watch_distance("audio", at_ms, self._video.at_ms - at_ms)
        dts = samples.place(at_ms)
        if dts is None:
            return None
        self._base.extend(-(-samples.next_dts * MILLISECONDS // samples.sample_rate))
        return Placement(dts, discontinuity)

    def _hold_video(self, at_ms: int) -> int:
        """The time of a frame whose timestamp stands still."""
        self._report_still("video")
        samples, now = self._samples, self._clock()
        if samples is not None and samples.next_dts:
            at_ms = max(at_ms, samples.next_dts * MILLISECONDS // samples.sample_rate)
        elif self._held_since is not None:
            at_ms += max(0, round((now - self._held_since) * MILLISECONDS))
        self._held_since = now
        self._video.hold(at_ms)
        return at_ms

    def _hold_audio(self, samples: SampleClock) -> int:
        """The time of an audio unit whose timestamp stands still."""
        self._report_still("audio")
        generation, at_ms = self._video.position
        if not generation or self._video.stands:
            at_ms = -(-samples.next_dts * MILLISECONDS // samples.sample_rate)
        self._audio.hold(at_ms)
        return at_ms

    def _report_still(self, track: str) -> None:
        if track not in self._reported:
            self._reported.add(track)
            text = (
                f"the timestamps of {track} stand still: its frames are placed as they arrive; update the encoder"
            )
            self._on_problem(TimingProblem(f"{track}-timestamps-still", text))

    def _report_speed(self) -> None:
        if self._speed.speed == 1:
            return
        text = (
            f"the timestamps run at {float(self._speed.speed):.2f} times the speed of the audio, and are corrected:"
            " restart the encoder, and if that does not help, update it"
        )
        self._on_problem(TimingProblem("timestamp-speed", text))

    def _watch_distance(self, track: str, at_ms: int, distance_ms: int) -> None:
        text = self._distance.look(track, at_ms, distance_ms)
        if text is not None and APART not in self._reported:
            self._reported.add(APART)
            self._on_problem(TimingProblem(APART, text))

    def _watch_start(self, clock: TrackClock, timestamp: int) -> bool:
        """Whether a track has left its base, so that the newest unit has another time."""
        start = self._start
        assert start is not None
        generation = self._base.generation
        problem = start.look(clock, timestamp)
        if problem is not None:
            self._reported.add(problem.code)
            self._on_problem(problem)
        if start.done:
            self._start = None
        return self._base.generation != generation
