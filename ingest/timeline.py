"""From the 32-bit millisecond timestamps of two FLV tracks to ticks on one continuous timeline.

The timeline starts at 0 with the first unit. A publisher may start anywhere, wrap at 2^32 ms, repeat a timestamp,
run back or re-base both tracks: decoding times keep growing, and a jump is reported as a discontinuity after which
the new timestamps keep their own offset between video and audio.

Video follows its timestamps. Audio is counted in samples, because a millisecond is not a whole number of them: each
frame starts where the previous one ended, and only the average of the timestamps over many frames moves it.
"""

from typing import NamedTuple

from media.timescale import MILLISECONDS, rescale
from media.units import VIDEO_TIMESCALE

TICKS_PER_MS = VIDEO_TIMESCALE // MILLISECONDS
WRAP = 1 << 32

# A step within these continues the track; a larger one starts a new base.
MAX_FORWARD_MS = 10_000
MAX_BACKWARD_MS = 1_000
# A frame's duration until the publisher has sent two frames.
USUAL_FRAME_MS = 33

# Audio: a gap of more frames than this is real; a shorter one is the encoder's jitter.
GAP_FRAMES = 3
# How far A/V sync may be off before it is corrected, down to what, and by how much a frame.
TOLERANCE_MS = 8
TARGET_MS = 1
STEP_MS = 2
# The deviation is averaged over this many frames, about two thirds of a second at 48 kHz.
SMOOTHING = 32


class Placement(NamedTuple):
    """``dts`` in the track's timescale; ``discontinuity`` if this unit is the first of a new base."""

    dts: int
    discontinuity: bool = False


def difference(later: int, earlier: int) -> int:
    """The distance of two timestamps modulo 2^32, -2^31 to 2^31 - 1."""
    return (later - earlier + WRAP // 2) % WRAP - WRAP // 2


class Timeline:
    """Both tracks of one publication."""

    def __init__(self) -> None:
        self._base = SharedBase()
        self._video = TrackClock(self._base)
        self._audio = TrackClock(self._base)
        self._last_dts = -1
        self._samples: SampleClock | None = None

    def set_audio(self, sample_rate: int, frame_samples: int) -> None:
        """Call this before the first audio unit and when either changes."""
        before = self._samples
        if before is not None and before.lasts(sample_rate, frame_samples):
            return
        self._samples = SampleClock(sample_rate, frame_samples)
        if before is not None:
            self._samples.next_dts = rescale(before.next_dts, before.sample_rate, sample_rate)

    def video(self, timestamp: int) -> Placement:
        """Strictly increasing, 90 000 a second."""
        at_ms, _, discontinuity = self._video.place(timestamp)
        dts = self._last_dts = max(at_ms * TICKS_PER_MS, self._last_dts + 1)
        self._base.reached(dts // TICKS_PER_MS + self._video.frame_ms)
        return Placement(dts, discontinuity)

    def audio(self, timestamp: int) -> Placement | None:
        """In samples. None for a unit to drop, because earlier units already fill its time.

        A unit begins before the previous one ends only by a correction of at most STEP_MS.
        """
        samples = self._samples
        if samples is None:
            raise ValueError("audio has no sample rate yet")
        at_ms, rebased, discontinuity = self._audio.place(timestamp)
        if rebased:
            samples.release()
        dts = samples.place(at_ms)
        if dts is None:
            return None
        self._base.reached(-(-samples.next_dts * MILLISECONDS // samples.sample_rate))
        return Placement(dts, discontinuity)


class SharedBase:
    """Relates the publisher's timestamps to the timeline: the last pair of both in the newest base.

    ``end_ms`` is the end of the units placed so far.
    """

    __slots__ = ("at_ms", "end_ms", "generation", "timestamp")

    def __init__(self) -> None:
        self.generation = 0
        self.timestamp = 0
        self.at_ms = 0
        self.end_ms = 0

    def reached(self, end_ms: int) -> None:
        if end_ms > self.end_ms:
            self.end_ms = end_ms


class TrackClock:
    """A track's timestamps, unwrapped and put on the timeline, in milliseconds."""

    __slots__ = ("_at_ms", "_base", "_generation", "_timestamp", "frame_ms")

    def __init__(self, base: SharedBase) -> None:
        self._base = base
        self._generation = 0
        self._timestamp = 0
        self._at_ms = 0
        self.frame_ms = USUAL_FRAME_MS

    def place(self, timestamp: int) -> tuple[int, bool, bool]:
        """The place of ``timestamp`` on the timeline, whether its base differs from that of the previous one, and
        whether it is the first in a base that follows another."""
        rebased = discontinuity = False
        step = difference(timestamp, self._timestamp)
        if self._generation and -MAX_BACKWARD_MS <= step <= MAX_FORWARD_MS:
            self._at_ms += step
            if 0 < step <= MILLISECONDS:
                self.frame_ms = step
        else:
            rebased, discontinuity = True, self._rebase(timestamp)
        self._timestamp = timestamp
        base = self._base
        if self._generation == base.generation:
            base.timestamp, base.at_ms = timestamp, self._at_ms
        return self._at_ms, rebased, discontinuity

    def _rebase(self, timestamp: int) -> bool:
        base = self._base
        first = self._generation == 0
        if base.generation > self._generation:
            # The other track came first or jumped first. If this one fits that base, both stay in sync.
            at_ms = base.at_ms + difference(timestamp, base.timestamp)
            if -MAX_BACKWARD_MS <= at_ms - base.end_ms <= MAX_FORWARD_MS:
                self._at_ms, self._generation = at_ms, base.generation
                return False
        base.generation += 1
        self._at_ms, self._generation = base.end_ms, base.generation
        return not first


class SampleClock:
    """Audio's decoding times in samples: exact multiples, corrected by the timestamps."""

    __slots__ = ("_anchored", "_deviation", "_frame_samples", "_steering", "next_dts", "sample_rate")

    def __init__(self, sample_rate: int, frame_samples: int) -> None:
        self.sample_rate = sample_rate
        self.next_dts = 0
        self._frame_samples = frame_samples
        self._anchored = False
        self._steering = False
        # Timestamps minus our count, averaged; SMOOTHING times as many samples, to stay an integer.
        self._deviation = 0

    def lasts(self, sample_rate: int, frame_samples: int) -> bool:
        return (self.sample_rate, self._frame_samples) == (sample_rate, frame_samples)

    def release(self) -> None:
        """Place the next unit at its timestamp."""
        self._anchored = False

    def place(self, at_ms: int) -> int | None:
        """The unit's decoding time; None if its time is already filled."""
        deviation = rescale(at_ms, MILLISECONDS, self.sample_rate) - self.next_dts
        gap = GAP_FRAMES * self._frame_samples
        overlap = gap if self._anchored else self._frame_samples // 2
        if deviation < -overlap:
            self._anchored = False
            return None
        if not self._anchored or deviation > gap:
            self._anchored, self._steering = True, False
            step = max(deviation, 0)
            self._deviation = (deviation - step) * SMOOTHING
        else:
            step = self._steer(deviation)
        dts = self.next_dts + step
        self.next_dts = dts + self._frame_samples
        return dts

    def _steer(self, deviation: int) -> int:
        """How many samples to move this unit by: 0 while the average deviation is tolerable."""
        self._deviation += deviation - self._deviation // SMOOTHING
        average = self._deviation // SMOOTHING
        off_ms = abs(average) * MILLISECONDS // self.sample_rate
        self._steering = off_ms >= (TARGET_MS if self._steering else TOLERANCE_MS)
        if not self._steering:
            return 0
        limit = self.sample_rate * STEP_MS // MILLISECONDS
        step = max(-limit, min(limit, average))
        self._deviation -= step * SMOOTHING
        return step
