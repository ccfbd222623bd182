"""Decides at which units segments start: once, on the source, before anything is encoded.

Every track of a broadcast follows the same cuts, so the segments of all tracks are aligned by construction.
"""

from dataclasses import dataclass

from media.names import FIRST_MSN
from media.units import VIDEO_TIMESCALE, AccessUnit
from packager.cmaf.frame_interval import LONGEST_STALL


@dataclass(frozen=True, slots=True)
class Cut:
    """Segment ``msn`` starts at presentation time ``pts`` (90 kHz ticks of broadcast time).

    ``independent`` is false if the segment does not start with a keyframe, because the source sent none for too
    long. ``discontinuities`` counts those before this cut.
    """

    msn: int
    pts: int
    discontinuity: bool
    independent: bool = True
    discontinuities: int = 0


@dataclass(frozen=True, slots=True)
class CutterOptions:
    """Durations in 90 kHz ticks.

    ``target`` is the intended segment duration. If keyframes are further apart than ``max_keyframe_interval`` and
    the source can be re-encoded (``free_cuts``), the source is cut on any frame from the second keyframe on. A
    segment ends at ``hard_limit`` at the latest, so its size has a bound.
    """

    target: int = 2 * VIDEO_TIMESCALE
    max_keyframe_interval: int = 6 * VIDEO_TIMESCALE
    hard_limit: int = 30 * VIDEO_TIMESCALE
    free_cuts: bool = True


class Cutter:
    """Takes every source unit in order and returns the cuts.

    ``sparse`` becomes true, permanently, if keyframes are too far apart to cut on. From then on, any frame may
    start a segment, and the source cannot be passed through as a rendition. ``after`` is the last cut of an
    interrupted broadcast: the next cut continues its numbering, with a discontinuity.
    """

    def __init__(self, options: CutterOptions, *, sparse: bool = False, after: Cut | None = None) -> None:
        self._options = options
        self._next_msn = FIRST_MSN if after is None else after.msn + 1
        self._last = None if after is None else after.pts
        self._last_video: int | None = None
        self._last_audio: int | None = None
        self._hole_end: int | None = None
        self._discontinuity = after is not None
        self._discontinuities = 0 if after is None else after.discontinuities + after.discontinuity
        self.sparse = sparse

    @property
    def started(self) -> bool:
        """Whether a cut was made."""
        return self._last is not None

    def discontinue(self, hole_end: int | None = None) -> None:
        """Cut at the next keyframe (without video, at the next audio unit), with a discontinuity.

        After a hole of the same source, which ends at ``hole_end``, any frame may follow: the cut does not wait for
        a keyframe longer than ``max_keyframe_interval``, or at all if the source is re-encoded.
        """
        self._discontinuity = self.started
        self._last_video = None
        self._hole_end = hole_end

    def video(self, unit: AccessUnit) -> Cut | None:
        """The cut at this video unit, or None."""
        self._last_video = unit.pts
        if self._last is None or self._discontinuity:
            return self._cut(unit.pts, independent=unit.key or self.sparse) if self._may_begin(unit) else None
        elapsed = unit.pts - self._last
        if self.sparse:
            return self._cut(unit.pts) if elapsed >= self._options.target else None
        if unit.key and self._options.free_cuts and elapsed > self._options.max_keyframe_interval:
            self.sparse = self._discontinuity = True
        # Three quarters of the target: a keyframe slightly before the target is close enough to cut on.
        if unit.key and 4 * elapsed >= 3 * self._options.target:
            return self._cut(unit.pts)
        if elapsed >= self._options.hard_limit:
            return self._cut(unit.pts, independent=unit.key)
        return None

    def audio(self, pts: int, *, alone: bool) -> Cut | None:
        """The cut at an audio unit (``pts`` in 90 kHz), or None.

        Audio causes a cut only if the broadcast has no video (``alone``) or the video has stalled.
        """
        before, self._last_audio = self._last_audio, pts
        if alone:
            if self._last is None or self._discontinuity:
                return self._cut(pts)
            return self._cut(pts) if pts - self._last >= self._options.target else None
        if self._last is None or self._discontinuity or self._last_video is None:
            return None
        if before is not None and pts - before > LONGEST_STALL:
            # The source has a hole: its video is about to continue too.
            self._last_video = max(self._last_video, pts)
        # An encoder whose upload is slow drops video up to the next keyframe but one at most.
        stalled = pts - self._last_video >= 2 * self._options.target
        return self._cut(pts) if stalled and pts - self._last >= self._options.target else None

    def _may_begin(self, unit: AccessUnit) -> bool:
        if unit.key or self._hole_end is None:
            return unit.key
        return self.sparse or unit.pts - self._hole_end >= self._options.max_keyframe_interval

    def _cut(self, pts: int, *, independent: bool = True) -> Cut:
        cut = Cut(self._next_msn, pts, self._discontinuity, independent, self._discontinuities)
        self._next_msn += 1
        self._discontinuities += cut.discontinuity
        self._last = pts
        self._discontinuity = False
        return cut
