"""Decides at which units segments start: once, on the source, before anything is encoded.

Every track of a broadcast follows the same cuts, so the segments of all tracks are aligned by construction.
"""

from dataclasses import dataclass

from media.names import FIRST_MSN
from media.units import VIDEO_TIMESCALE, AccessUnit
from packager.cmaf.cut import Cut
from packager.cmaf.frame_interval import LONGEST_STALL

# Audio that was alone may run ahead of the video that begins by this much: a few audio frames, which both tracks
# have at a discontinuity.
LONGEST_OVERLAP = VIDEO_TIMESCALE // 10
# Segments of audio are longer than those of video by up to a frame. It must not count for EXT-X-TARGETDURATION.
AUDIO_MARGIN = VIDEO_TIMESCALE // 20
# A longer interval between frames may be longer than a part.
LONGEST_INTERVAL = VIDEO_TIMESCALE // 4


def longest_segment(target: int) -> int:
    """The longest segment that needs no higher EXT-X-TARGETDURATION than one of ``target``: it is rounded to whole
    seconds (draft-pantos-hls-rfc8216bis, 4.4.3.1)."""
    half = VIDEO_TIMESCALE // 2
    return max(1, (target + half) // VIDEO_TIMESCALE) * VIDEO_TIMESCALE + half - AUDIO_MARGIN


@dataclass(frozen=True, slots=True)
class CutterOptions:
    """Durations in 90 kHz ticks.

    ``target`` is the intended segment duration. If no keyframe comes for ``max_keyframe_interval`` and the source
    can be re-encoded (``free_cuts``), the source is cut on any frame from then on. The first segment ends at
    ``hard_limit`` at the latest, so its size has a bound. If video has no keyframe to begin with for
    ``first_keyframe_wait``, its sound begins alone.
    """

    target: int = 2 * VIDEO_TIMESCALE
    max_keyframe_interval: int = 6 * VIDEO_TIMESCALE
    hard_limit: int = 30 * VIDEO_TIMESCALE
    first_keyframe_wait: int = 3 * VIDEO_TIMESCALE
    free_cuts: bool = True


class Cutter:
    """Takes every source unit in order and returns the cuts.

    ``sparse`` becomes true, permanently, if keyframes are too far apart to cut on. From then on, any frame may
    start a segment, and the source cannot be passed through as a rendition. While ``sound_alone`` is true, segments
    have sound only, because the video has no keyframe to begin with; the first one starts a discontinuity.
    ``after`` is the last cut of an interrupted broadcast: the next cut continues its numbering, with a
    discontinuity; ``longest`` is the broadcast's target duration, or 0 if it is not known yet.

    The first segment decides how long segments may be, because EXT-X-TARGETDURATION must not change
    (draft-pantos-hls-rfc8216bis, 6.2.1). A later segment without a keyframe in time ends at any frame.
    """

    def __init__(
        self, options: CutterOptions, *, sparse: bool = False, after: Cut | None = None, longest: int = 0
    ) -> None:
        self._options = options
        self._longest = longest_segment(longest) if longest else options.hard_limit
        # The interval between the two newest keyframes, and between the newest frames.
        self._keyframe_interval = 0
        self._frame = 0
        # The newest segment may begin this much before its cut. Its first frame is presented this long after its
        # decoding.
        self._early = self._lead = 0
        self._next_msn = FIRST_MSN if after is None else after.msn + 1
        self._last = None if after is None else after.pts
        self._last_video: int | None = None
        self._last_dts: int | None = None
        self._last_audio: int | None = None
        self._last_key: int | None = None
        # The presentation time that the video has reached.
        self.reached = 0
        # The first unit of the video that begins, or of its sound.
        self._first: int | None = None
        self._hole_end: int | None = None
        # The newest media before a discontinuity.
        self._end: int | None = None
        self._interval = options.target
        # The newest audio from before the source had video.
        self._alone_end: int | None = None
        self._discontinuity = after is not None
        self._discontinuities = 0 if after is None else after.discontinuities + after.discontinuity
        self.sparse = sparse
        self.sound_alone = False

    @property
    def started(self) -> bool:
        """Whether a cut was made."""
        return self._last is not None

    @property
    def next_cut(self) -> int:
        """The presentation time at which the next segment starts, if the newest lasts as long as the one before. If
        the video has passed that time, it lasts as long as it may."""
        at = (self._last or 0) + self._interval
        return at if self._last_video is None or self._last_video < at else self.segment_end

    @property
    def segment_end(self) -> int:
        """The presentation time at which the newest segment ends at the latest."""
        return (self._last or 0) + self._longest - self._early

    def discontinue(self, hole_end: int | None = None) -> None:
        """Cut at the next keyframe (without video, at the next audio unit), with a discontinuity.

        After a hole of the same source, which ends at ``hole_end``, any frame may follow: the cut does not wait for
        a keyframe longer than ``max_keyframe_interval``, or at all if the source is re-encoded.
        """
        self._discontinuity = self.started
        self._end = self._last_audio if self._last_video is None else self._last_video
        self._last_video = self._last_dts = self._last_key = self._first = None
        self._hole_end = hole_end
        self.sound_alone = False

    def repeated(self, unit: AccessUnit) -> Cut | None:
        """The cut at a repeated keyframe, or None: segments last as long as before."""
        due = self.next_cut
        self._last_video = self._last_key = unit.pts
        self._last_dts = unit.dts
        if unit.pts < due:
            return None
        cut = self._cut(unit.pts)
        self._lead = unit.cts
        return cut

    def video(self, unit: AccessUnit) -> Cut | None:
        """The cut at this video unit, or None."""
        self._last_video = unit.pts
        before, self._last_dts = self._last_dts, unit.dts
        cut = self._cut_at_video(unit, unit.dts - before if before is not None else 0)
        if cut is not None:
            self._lead = unit.cts
        if before is not None:
            self._measure(unit.pts, unit.dts - before, cut)
        return cut

    def _measure(self, pts: int, interval: int, cut: Cut | None) -> None:
        """Take the ``interval`` between a frame and the one before it. If it is longer than a part, the segment
        that begins with the frame has a part of it."""
        if 0 < interval <= LONGEST_INTERVAL:
            self._frame = interval
        elif cut is not None and not cut.discontinuity:
            self._early = max(0, cut.pts - pts + interval - self._frame)

    def _cut_at_video(self, unit: AccessUnit, step: int) -> Cut | None:
        """``step`` is the interval since the frame before, in decoding times."""
        pts, key = unit.pts, unit.key
        reached, self.reached = self.reached, max(pts, self.reached)
        if self._last is None or self._discontinuity:
            if self._may_begin(unit):
                self._last_key = pts
                return self._cut(pts, independent=key or self.sparse)
            return self._begin_sound(pts) if self._last_audio is not None else None
        elapsed = pts - self._last
        if self.sound_alone:
            return self._end_sound_alone(pts) if key and elapsed > 0 else self._cut_at_target(pts)
        if self.sparse:
            return self._cut_at_target(pts)
        is_late = self._last_key is not None and pts - self._last_key > self._options.max_keyframe_interval
        if is_late and self._options.free_cuts:
            self.sparse = self._discontinuity = True
            # If the unit is decoded before others that are presented earlier, the segment begins with those.
            reorders = not key and 2 * (pts - reached) > 3 * step
            return self._cut(reached + 3 * step // 4 if reorders else pts)
        if key:
            if self._last_key is not None:
                self._keyframe_interval = pts - self._last_key
            self._last_key = pts
        # The offsets of single frames may be wild.
        elapsed = min(elapsed, unit.dts + self._lead - self._last)
        lasts = elapsed + self._early
        if lasts > self._longest:
            # The segment ends within the interval before this frame.
            return self._cut(self.segment_end, independent=key)
        if key:
            return self._cut(pts) if self._ends_at_keyframe(lasts) else None
        # The next frame would end the segment too late.
        is_full = lasts + self._frame > self._longest
        return self._cut(self._last + elapsed, independent=False) if is_full else None

    def _ends_at_keyframe(self, elapsed: int) -> bool:
        target = self._options.target
        # Three quarters of the target: a keyframe slightly before the target is close enough to cut on.
        if 4 * elapsed >= 3 * target:
            return True
        # A short segment is better than one that ends between keyframes.
        return 4 * elapsed >= target and elapsed + self._keyframe_interval > self._longest

    def follows_hole(self, pts: int) -> bool:
        """Whether audio that is alone has a hole before ``pts``."""
        return self._last_audio is not None and pts - self._last_audio > LONGEST_STALL

    def audio(self, pts: int, *, alone: bool) -> Cut | None:
        """The cut at an audio unit (``pts`` in 90 kHz), or None.

        Audio causes a cut only if the broadcast has no video (``alone``), or if the video has stalled or does not
        begin.
        """
        before, self._last_audio = self._last_audio, pts
        if alone:
            self._alone_end = pts
            return self._cut(pts) if self._last is None or self._discontinuity else self._cut_at_target(pts)
        if self._last is None or self._discontinuity:
            return self._begin_sound(pts)
        if self.sound_alone:
            arrives = self._last_video is not None and pts - self._last_video < self._options.target
            return None if arrives else self._cut_at_target(pts)
        if self._last_video is None:
            return None
        if before is not None and pts - before > LONGEST_STALL:
            # The source has a hole: its video is about to continue too.
            self._last_video = max(self._last_video, pts)
        # An encoder whose upload is slow drops video up to the next keyframe but one at most.
        if pts - self._last_video < 2 * self._options.target:
            return None
        # Video that is missing says nothing about the distance of its keyframes.
        self._last_key = None
        return self._cut(pts) if pts - self._last >= self._options.target else None

    def _may_begin(self, unit: AccessUnit) -> bool:
        if self._has_passed(unit.pts):
            return False
        if unit.key or self._hole_end is None:
            return unit.key
        if self.sparse:
            return True
        is_late = unit.pts - self._hole_end >= self._options.max_keyframe_interval
        if is_late and self._options.free_cuts:
            self.sparse = True
        return is_late

    def _has_passed(self, pts: int) -> bool:
        """Whether segments of audio alone have passed this time."""
        return self._alone_end is not None and pts < self._alone_end - LONGEST_OVERLAP

    def _begin_sound(self, pts: int) -> Cut | None:
        """Begin with the sound at ``pts``, if the video has not begun for too long."""
        if self._has_passed(pts):
            return None
        if self._first is None:
            self._first = pts
        # After a hole, the video begins with any frame.
        if self._hole_end is not None or pts - self._first < self._options.first_keyframe_wait:
            return None
        self.sound_alone = True
        return self._cut(pts)

    def _end_sound_alone(self, pts: int) -> Cut:
        self.sound_alone = False
        self._discontinuity = True
        self._last_key = pts
        return self._cut(pts)

    def _cut_at_target(self, pts: int) -> Cut | None:
        assert self._last is not None
        if pts - self._last < self._options.target:
            return None
        # After a hole, the segment ends within it.
        return self._cut(min(pts, self._last + self._longest))

    def _cut(self, pts: int, *, independent: bool = True) -> Cut:
        if self._last is not None and self._longest == self._options.hard_limit:
            end = pts if self._end is None else min(pts, self._end)
            self._fix_longest(end - self._last)
        cut = Cut(
            self._next_msn,
            pts,
            self._discontinuity,
            independent,
            self._discontinuities,
            self.sound_alone,
            self.segment_end if self._discontinuity else None,
        )
        self._next_msn += 1
        self._discontinuities += cut.discontinuity
        if self._last is not None and not cut.discontinuity:
            self._interval = pts - self._last
        self._end = None
        self._last = pts
        self._early = self._lead = 0
        self._discontinuity = False
        return cut

    def _fix_longest(self, first: int) -> None:
        """Set how long segments may be, after a ``first`` one."""
        longest = longest_segment(self._options.target)
        self._longest = longest if first <= longest else longest_segment(first + AUDIO_MARGIN)
