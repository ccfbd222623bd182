"""Restores the encoder's frame grid from RTMP's millisecond timestamps.

FLV rounds 1/30 s to 33, 33, 34 ms. On the grid, a frame's duration is known before the next frame arrives. So a
part can be written with its last frame, and segments have exactly the duration that the encoder intended.
"""

from fractions import Fraction

from media.units import VIDEO_TIMESCALE

# 1 ms of rounding in the timestamp plus half a millisecond in the grid's anchor.
TOLERANCE = VIDEO_TIMESCALE * 3 // 2000


class FrameClock:
    """Snaps decoding times and composition offsets (90 kHz) to multiples of a frame's duration.

    A frame that is not on the grid keeps its own time and restarts the grid, so a source with a variable frame rate
    passes through unchanged. After a dropped frame the grid continues, because the drop leaves a slot free.
    """

    def __init__(self, frame_rate: Fraction, *, after: int | None = None) -> None:
        """``after`` is the decoding time of the frame before the first one, if there is one."""
        # A slot lasts _per / _rate ticks; integers, because this runs for every frame.
        self._rate = frame_rate.numerator
        self._per = frame_rate.denominator * VIDEO_TIMESCALE
        self._anchor: int | None = None
        self._after = after
        self._slot = 0

    @property
    def last(self) -> int | None:
        """The newest frame's decoding time."""
        return self._after if self._anchor is None else self._anchor + self._ticks(self._slot)

    def snap(self, dts: int, cts: int) -> tuple[int, int]:
        """The snapped (dts, cts). Decoding times strictly increase."""
        if self._anchor is None:
            return self._restart(dts if self._after is None else max(dts, self._after + 1), cts)
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
