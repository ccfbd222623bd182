"""Puts RTMP's millisecond timestamps back on the encoder's frame grid.

FLV rounds 1/30 s to 33, 33, 34 ms. On the grid again, a frame's duration is known before the next frame has come,
so a part can leave with its last frame, and segments last exactly what the encoder meant.
"""

from fractions import Fraction

from media.units import VIDEO_TIMESCALE

# A millisecond of rounding on the timestamp and half a one on the grid's anchor.
TOLERANCE = VIDEO_TIMESCALE * 3 // 2000


class FrameClock:
    """Snaps decoding times and composition offsets (90 kHz) to multiples of a frame's duration.

    A frame off the grid (a dropped frame is not: it leaves a whole slot free) keeps its own time and anchors the
    grid anew, so a source of variable frame rate passes through as it is.
    """

    def __init__(self, frame_rate: Fraction) -> None:
        # A slot lasts _per / _rate ticks; integers, because this runs for every frame.
        self._rate = frame_rate.numerator
        self._per = frame_rate.denominator * VIDEO_TIMESCALE
        self._anchor: int | None = None
        self._slot = 0

    def snap(self, dts: int, cts: int) -> tuple[int, int]:
        if self._anchor is None:
            return self._restart(dts, cts)
        slot = self._slots(dts - self._anchor)
        on_grid = self._anchor + self._ticks(slot)
        if slot <= self._slot or abs(on_grid - dts) > TOLERANCE:
            return self._restart(max(dts, self._anchor + self._ticks(self._slot) + 1), cts)
        self._slot = slot
        return on_grid, self._offset(cts)

    def _restart(self, dts: int, cts: int) -> tuple[int, int]:
        self._anchor, self._slot = dts, 0
        return dts, self._offset(cts)

    def _offset(self, cts: int) -> int:
        on_grid = self._ticks(self._slots(cts))
        return on_grid if abs(on_grid - cts) <= TOLERANCE else cts

    def _slots(self, ticks: int) -> int:
        return (2 * ticks * self._rate + self._per) // (2 * self._per)

    def _ticks(self, slots: int) -> int:
        return (2 * slots * self._per + self._rate) // (2 * self._rate)
