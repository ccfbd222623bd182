"""Converts the 32-bit millisecond timestamps of two FLV tracks to ticks on one continuous timeline.

The timeline starts at 0 with the first unit. A publisher's timestamps may start at any value, wrap at 2^32 ms,
stall, run backwards, or jump to a new base on both tracks. Decoding times still increase. A jump is reported as a
discontinuity, and the tracks keep their relation in the new base.
"""

from typing import NamedTuple

from ingest.sample_clock import SampleClock
from ingest.track_clock import SharedBase, TrackClock
from media.timescale import MILLISECONDS, rescale
from media.units import VIDEO_TIMESCALE

TICKS_PER_MS = VIDEO_TIMESCALE // MILLISECONDS


class Placement(NamedTuple):
    """``dts`` is in the track's timescale. ``discontinuity`` is true for the first unit in a new base."""

    dts: int
    discontinuity: bool = False


class Timeline:
    """The timeline of one publication, with a video and an audio track."""

    def __init__(self) -> None:
        self._base = SharedBase()
        self._video = TrackClock(self._base)
        self._audio = TrackClock(self._base)
        self._last_dts = -1
        self._samples: SampleClock | None = None

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
        at_ms, _, discontinuity = self._video.place(timestamp)
        dts = self._last_dts = max(at_ms * TICKS_PER_MS, self._last_dts + 1)
        self._base.extend(dts // TICKS_PER_MS + self._video.frame_ms)
        return Placement(dts, discontinuity)

    def audio(self, timestamp: int) -> Placement | None:
        """Place an audio unit. ``dts`` is in samples; None if the unit must be dropped, because its time is taken.

        Units do not overlap, except by a correction of at most STEP_MS. Raises ValueError before :meth:`set_audio`.
        """
        samples = self._samples
        if samples is None:
            raise ValueError("audio has no sample rate yet")
        at_ms, rebased, discontinuity = self._audio.place(timestamp)
        if rebased:
            samples.reanchor()
        dts = samples.place(at_ms)
        if dts is None:
            return None
        self._base.extend(-(-samples.next_dts * MILLISECONDS // samples.sample_rate))
        return Placement(dts, discontinuity)
