"""A track's peak segment bit rate (draft-pantos-hls-rfc8216bis, 4.1)."""

from collections import deque

from media.timescale import MILLISECONDS


class PeakBitRate:
    """The largest bit rate of any consecutive segments that together last 0.5 to 1.5 target durations.

    Takes every segment in order. A longer segment counts alone, and a shorter one only together with its
    neighbours, so that a last segment of three frames does not raise the peak. ``bps`` is the peak so far.
    """

    def __init__(self, target_ms: int, timescale: int, *, bps: int = 0) -> None:
        self._least = target_ms * timescale // (2 * MILLISECONDS)
        self._most = 3 * self._least
        self._timescale = timescale
        self._recent: deque[tuple[int, int]] = deque()
        self._peak = bps

    @property
    def bps(self) -> int:
        """Bits per second, rounded up; 0 until half a target duration was measured."""
        return self._peak

    def add(self, size: int, duration: int) -> None:
        """Add a segment of ``size`` bytes and ``duration`` ticks of the track's timescale."""
        self._recent.appendleft((size, duration))
        bytes_together = ticks_together = counted = 0
        for segment_size, segment_duration in self._recent:
            if counted and ticks_together + segment_duration > self._most:
                break
            bytes_together += segment_size
            ticks_together += segment_duration
            counted += 1
            if ticks_together >= max(self._least, 1):
                rate = -(-bytes_together * 8 * self._timescale // ticks_together)
                self._peak = max(self._peak, rate)
        while len(self._recent) > counted:
            self._recent.pop()
