"""Where a segment starts: decided once, on the source, before anything is encoded.

Every track of a broadcast follows the same cuts, so segments of all tracks are aligned by construction.
"""

from dataclasses import dataclass

from media.names import FIRST_MSN
from media.units import VIDEO_TIMESCALE, AccessUnit


@dataclass(frozen=True, slots=True)
class Cut:
    """Segment ``msn`` starts at presentation time ``pts`` (90 kHz, broadcast time).

    ``independent`` is false where the source gave no keyframe for so long that the cut could not wait for one;
    ``discontinuities`` counts those before this cut.
    """

    msn: int
    pts: int
    discontinuity: bool
    independent: bool = True
    discontinuities: int = 0


@dataclass(frozen=True, slots=True)
class CutterOptions:
    """Durations in 90 kHz ticks.

    ``target`` is the segment duration aimed at. A source whose keyframes come further apart than
    ``max_keyframe_interval`` is cut freely from the second one on, if it can be encoded (``free_cuts``). A segment
    that reaches ``hard_limit`` ends wherever it is, so that none grows without bound.
    """

    target: int = 2 * VIDEO_TIMESCALE
    max_keyframe_interval: int = 6 * VIDEO_TIMESCALE
    hard_limit: int = 30 * VIDEO_TIMESCALE
    free_cuts: bool = True


class Cutter:
    """Fed every source unit in order; says where to cut.

    ``sparse`` turns true, for good, once keyframes were too far apart to cut on: from then on the source's own
    frames cannot be a rendition, and cuts fall on any frame.
    """

    def __init__(self, options: CutterOptions, *, sparse: bool = False) -> None:
        self._options = options
        self._next_msn = FIRST_MSN
        self._last: int | None = None
        self._last_video: int | None = None
        self._discontinuity = False
        self._discontinuities = 0
        self.sparse = sparse

    @property
    def started(self) -> bool:
        return self._last is not None

    def discontinue(self) -> None:
        """The next keyframe (audio unit, where there is no video) cuts, and starts a discontinuity."""
        self._discontinuity = self.started
        self._last_video = None

    def video(self, unit: AccessUnit) -> Cut | None:
        """The cut at this video unit, if there is one."""
        self._last_video = unit.pts
        if self._last is None or self._discontinuity:
            return self._cut(unit.pts) if unit.key else None
        elapsed = unit.pts - self._last
        if self.sparse:
            return self._cut(unit.pts) if elapsed >= self._options.target else None
        if unit.key and self._options.free_cuts and elapsed > self._options.max_keyframe_interval:
            self.sparse = self._discontinuity = True
        # Three quarters: keyframes a little closer than the target are meant for it.
        if unit.key and 4 * elapsed >= 3 * self._options.target:
            return self._cut(unit.pts)
        if elapsed >= self._options.hard_limit:
            return self._cut(unit.pts, independent=unit.key)
        return None

    def audio(self, pts: int, *, alone: bool) -> Cut | None:
        """The cut at an audio unit (``pts`` in 90 kHz): where audio is ``alone``, or the video has stalled."""
        if alone:
            if self._last is None or self._discontinuity:
                return self._cut(pts)
            return self._cut(pts) if pts - self._last >= self._options.target else None
        if self._last is None or self._discontinuity or self._last_video is None:
            return None
        stalled = pts - self._last_video >= self._options.max_keyframe_interval // 2
        return self._cut(pts) if stalled and pts - self._last >= self._options.target else None

    def _cut(self, pts: int, *, independent: bool = True) -> Cut:
        cut = Cut(self._next_msn, pts, self._discontinuity, independent, self._discontinuities)
        self._next_msn += 1
        self._discontinuities += cut.discontinuity
        self._last = pts
        self._discontinuity = False
        return cut
