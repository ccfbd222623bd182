"""Counts audio decoding times in samples, because a frame is not a whole number of milliseconds.

Each frame starts at the end of the frame before it. A correction is made only if the timestamps deviate from the
count over many frames.
"""

from media.timescale import MILLISECONDS, rescale

# A gap of more frames is real; a smaller one is jitter of the encoder.
GAP_FRAMES = 3
# An average deviation of TOLERANCE_MS starts a correction, in steps of STEP_MS, down to TARGET_MS.
TOLERANCE_MS = 8
TARGET_MS = 1
STEP_MS = 2
# The deviation is averaged over this many frames, about two thirds of a second of AAC.
SMOOTHING = 32


class SampleClock:
    """Decoding times of audio frames in samples, corrected by the timestamps."""

    __slots__ = ("_anchored", "_correcting", "_deviation", "frame_samples", "next_dts", "sample_rate")

    def __init__(self, sample_rate: int, frame_samples: int) -> None:
        self.sample_rate = sample_rate
        self.next_dts = 0
        self.frame_samples = frame_samples
        self._anchored = False
        self._correcting = False
        # The average of timestamp minus count, in samples times SMOOTHING to stay an integer.
        self._deviation = 0

    def has_format(self, sample_rate: int, frame_samples: int) -> bool:
        """Whether the clock has this sample rate and frame size."""
        return (self.sample_rate, self.frame_samples) == (sample_rate, frame_samples)

    def reanchor(self) -> None:
        """Place the next unit at its timestamp."""
        self._anchored = False

    def place(self, at_ms: int) -> int | None:
        """The decoding time in samples of the unit at ``at_ms``, or None if its time is taken."""
        deviation = rescale(at_ms, MILLISECONDS, self.sample_rate) - self.next_dts
        gap = GAP_FRAMES * self.frame_samples
        overlap = gap if self._anchored else self.frame_samples // 2
        if deviation < -overlap:
            self._anchored = False
            return None
        if not self._anchored or deviation > gap:
            self._anchored, self._correcting = True, False
            step = max(deviation, 0)
            self._deviation = (deviation - step) * SMOOTHING
        else:
            step = self._correction(deviation)
        dts = self.next_dts + step
        self.next_dts = dts + self.frame_samples
        return dts

    def _correction(self, deviation: int) -> int:
        """The correction for this unit in samples: 0 while the average deviation is within the tolerance."""
        self._deviation += deviation - self._deviation // SMOOTHING
        average = self._deviation // SMOOTHING
        average_ms = abs(average) * MILLISECONDS // self.sample_rate
        self._correcting = average_ms >= (TARGET_MS if self._correcting else TOLERANCE_MS)
        if not self._correcting:
            return 0
        limit = self.sample_rate * STEP_MS // MILLISECONDS
        step = max(-limit, min(limit, average))
        self._deviation -= step * SMOOTHING
        return step
