"""Recognises timestamps that run at the wrong speed, and corrects them.

A frame of audio has a known duration. If the timestamps run at another speed than the audio itself, and the audio
arrives as fast as it lasts, the timestamps are wrong: an encoder counts in other units, or for another frame rate.
If the audio arrives at the timestamps' speed, they are right, and the encoder leaves frames out.
"""

from fractions import Fraction

from ingest.track_clock import WRAP, difference
from media.timescale import MILLISECONDS

# Milliseconds of audio over which the speeds are compared. Two measurements must agree: a jump is only in one.
MEASURED_MS = 2_000
# Speeds that differ by less than a tenth are equal: encoders and networks are not exact.
EQUAL = Fraction(1, 10)
# The speed is taken to be a simple fraction, such as a half or two. A track beyond these limits stands or jumps.
LARGEST_DENOMINATOR = 8
SLOWEST, FASTEST = Fraction(1, 4), Fraction(4)


class TimestampSpeed:
    """Both tracks of a publication share their timestamps' speed, which audio shows. ``speed`` is 1 if they are
    right."""

    __slots__ = ("_base", "_first", "_first_s", "_samples", "_seen", "_turn", "speed")

    def __init__(self) -> None:
        self.speed = Fraction(1)
        # The timestamp from which `speed` applies, and its corrected value.
        self._turn = self._base = 0
        self._first: int | None = None
        self._first_s = 0.0
        self._samples = 0
        self._seen = Fraction(1)

    def corrected(self, timestamp: int) -> int:
        """``timestamp`` at the right speed, modulo 2^32."""
        return (self._base + round(difference(timestamp, self._turn) / self.speed)) % WRAP

    def on_audio(self, timestamp: int, frame_samples: int, sample_rate: int, now: float) -> bool:
        """Take a frame of audio, which arrived at ``now`` (monotonic seconds). Returns whether ``speed`` changed:
        it applies to the timestamps after this one."""
        if self._first is None:
            self._first, self._first_s, self._samples = timestamp, now, 0
            return False
        self._samples += frame_samples
        if self._samples * MILLISECONDS < MEASURED_MS * sample_rate:
            return False
        lasted_ms = Fraction(self._samples * MILLISECONDS, sample_rate)
        speed = difference(timestamp, self._first) / lasted_ms
        arrived = Fraction((now - self._first_s) * MILLISECONDS) / lasted_ms
        self._first = None
        before, self._seen = self._seen, speed
        if not _equal(speed, before) or not _equal(arrived, Fraction(1)) or not SLOWEST <= speed <= FASTEST:
            return False
        if _equal(speed, self.speed):
            return False
        self._base, self._turn = self.corrected(timestamp), timestamp
        self.speed = Fraction(1) if _equal(speed, Fraction(1)) else speed.limit_denominator(LARGEST_DENOMINATOR)
        return True


def _equal(speed: Fraction, other: Fraction) -> bool:
    return abs(speed - other) <= EQUAL * other
