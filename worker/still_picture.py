"""Repeats the last keyframe while the source's video is missing and its audio goes on.

A camera that is switched off, or an encoder that drops video on a slow uplink, leaves a hole in the video only. A
player cannot play sound over such a hole. With the repeated keyframe, viewers see a still picture and hear the
sound, and every track keeps its segments.

A hole of both tracks is not filled: it is a discontinuity.
"""

from collections.abc import Iterable, Iterator

from media.units import VIDEO_TIMESCALE, AccessUnit
from packager.cmaf.cutter import Cutter
from packager.cmaf.frame_interval import LONGEST_STALL, MISSING_FRAMES

# 90 kHz ticks. Video that is this much behind the audio is missing, unless it was as late before.
SHORTEST_WAIT = VIDEO_TIMESCALE
LONGEST_WAIT = 10 * VIDEO_TIMESCALE
# The repetitions stay this much behind the audio, so that the keyframe that ends them is not late.
MARGIN = VIDEO_TIMESCALE // 2
SHORTEST_REPETITION = VIDEO_TIMESCALE // 200
# No broadcast lasts so long.
NEVER = 1 << 62
# A larger keyframe is not repeated: a publisher that sends nothing but sound would fill the memory with it.
MAX_BYTES = 1 << 20


class StillPicture:
    """Times are 90 kHz ticks of broadcast time. ``cutter`` cuts the repetitions. When video returns, frames are not
    used until the first keyframe, but for at most ``longest_wait`` ticks."""

    __slots__ = ("_audio", "_cutter", "_due", "_keyframe", "_last", "_longest_wait", "_returned", "_wait", "shown")

    def __init__(self, cutter: Cutter, longest_wait: int) -> None:
        self._cutter = cutter
        self._longest_wait = longest_wait
        self._keyframe: AccessUnit | None = None
        self._last = 0
        self._audio = 0
        self._wait = SHORTEST_WAIT
        self._returned: int | None = None
        # The audio's time at which the next repetition is due.
        self._due = NEVER
        self.shown = False

    def reset(self) -> None:
        """Forget the keyframe: the publisher changes."""
        self.on_config()
        self.shown = False

    def on_config(self) -> None:
        """Forget the keyframe: the configuration changes. Repetitions may have passed the video that follows."""
        self._keyframe, self._due = None, NEVER

    def on_frame(self, unit: AccessUnit, interval: int) -> None:
        """Take a frame of the source that is used. ``interval`` is the time between its frames."""
        if unit.key:
            self._keyframe = unit if len(unit.payload) <= MAX_BYTES else None
            if self._keyframe is None:
                self._due = NEVER
            # An encoder that does not interleave its tracks sends video later than audio.
            late = self._audio - unit.dts
            self._wait = min(max(SHORTEST_WAIT, late + SHORTEST_WAIT), LONGEST_WAIT)
        self._last = unit.dts
        if self._keyframe is not None:
            self._due = unit.dts + max(self._wait, MISSING_FRAMES * interval)

    def on_audio(self, pts: int, interval: int) -> Iterable[AccessUnit]:
        """The audio has reached ``pts``: return the repetitions that are due, one per ``interval``."""
        before, self._audio = self._audio, pts
        if pts < self._due or self._keyframe is None:
            return ()
        if pts - before > LONGEST_STALL:
            self._last, self._due = pts, pts + self._wait
            return ()
        return self._repetitions(self._keyframe, pts - MARGIN, interval)

    def _repetitions(self, keyframe: AccessUnit, until: int, interval: int) -> Iterator[AccessUnit]:
        if not self.shown:
            self.shown, self._returned = True, None
        yield from self._until(keyframe, until, interval)
        self._due = self._next(keyframe, interval) + MARGIN

    def rest(self, unit: AccessUnit, interval: int) -> Iterator[AccessUnit]:
        """The last repetitions, if the source's video continues with ``unit``."""
        if self._keyframe is not None:
            yield from self._until(self._keyframe, unit.dts - SHORTEST_REPETITION, interval)

    def _until(self, keyframe: AccessUnit, until: int, interval: int) -> Iterator[AccessUnit]:
        while (due := self._next(keyframe, interval)) <= until:
            self._last = due
            yield keyframe._replace(dts=due)

    def _next(self, keyframe: AccessUnit, interval: int) -> int:
        """One interval after the newest frame, or at the next cut if that is earlier."""
        cut = self._cutter.next_cut - keyframe.cts
        return min(self._last + interval, cut) if cut > self._last else self._last + interval

    def ends_with(self, unit: AccessUnit, *, sparse: bool) -> bool:
        """Whether the source's video continues with ``unit``. If the source is ``sparse``, any frame may do so."""
        if unit.dts <= self._last:
            self._wait = min(max(self._wait, self._audio - unit.dts + SHORTEST_WAIT), LONGEST_WAIT)
            return False
        if self._returned is None:
            self._returned = unit.dts
        if unit.key or sparse or unit.dts - self._returned >= self._longest_wait:
            self.shown = False
            return True
        return False
