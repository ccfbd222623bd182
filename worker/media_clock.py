"""Measures how far a broadcast's media is from the server's clock.

Media time and the clock part if the encoder's clock runs fast or slow, if media is held up on its way, or if the
server's clock is set. Players of low-latency DASH compute segment numbers from a clock, so the broadcast has a
clock of its own, which follows its media: the server's plus an offset.
"""

from collections import deque

from media.timescale import MILLISECONDS

# The least delay of this many samples, one a second, counts: media that is held up arrives in a burst afterwards.
SAMPLES = 5
# Milliseconds. A smaller change of the offset is not worth a message.
LEAST_CHANGE_MS = 200
# If the two clocks of the server differ by this much since the last sample, one of them was set.
STEP_MS = 500


class MediaClock:
    """``offset_ms`` is the broadcast's clock minus the server's, and ``step_ms`` the sum of the steps by which the
    server's clock was set."""

    def __init__(self) -> None:
        self.offset_ms = 0
        self.step_ms = 0
        self._late: deque[int] = deque(maxlen=SAMPLES)
        self._clocks_ms: int | None = None

    def restart(self) -> None:
        """Another publisher sends: forget the delays of the one before."""
        self._late.clear()

    def sample(self, media_ms: int, now: float, unix: float) -> bool:
        """The newest media belongs to the Unix time ``media_ms``. ``now`` is monotonic seconds, ``unix`` Unix
        seconds. Returns whether ``offset_ms`` changed."""
        clocks_ms = round((unix - now) * MILLISECONDS)
        if self._clocks_ms is not None and abs(step := clocks_ms - self._clocks_ms) >= STEP_MS:
            self.step_ms += step
            self._late.clear()
        self._clocks_ms = clocks_ms
        self._late.append(round(unix * MILLISECONDS) - media_ms)
        offset_ms = -min(self._late)
        if abs(offset_ms - self.offset_ms) < LEAST_CHANGE_MS:
            return False
        self.offset_ms = offset_ms
        return True
