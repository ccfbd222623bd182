"""An audio track: sample-exact frames on one unbroken line, cut where the video is cut.

Audio may come ahead of the video it belongs to, so a unit waits until the video has passed it and every cut before
it is known. Where audio is missing while the video goes on, silence of the same configuration takes its place: a
player given an audio rendition without media stalls.
"""

from collections import deque

from media.aac import silent_frame
from media.configs import AudioConfig
from media.timescale import rescale
from media.units import VIDEO_TIMESCALE, AccessUnit, Codec, Kind
from packager.cmaf.cutter import Cut
from packager.cmaf.fragment import Sample
from packager.cmaf.segment_writer import SegmentWriter

# How much audio may wait for the video to pass it, in seconds, before it goes on alone.
LONGEST_HOLD_S = 1
MAX_HELD = 1024
# How much silence is put into one hole, in seconds; a longer hole stays in the timeline.
LONGEST_SILENCE_S = 30


class AudioTrack:
    """Fed cuts, units and the video's progress in order. Unit times are the sample rate's, broadcast time."""

    def __init__(self, writer: SegmentWriter, config: AudioConfig, *, part_target: int, silence_after: int) -> None:
        """``part_target`` and ``silence_after`` are 90 kHz ticks: silence starts when video is that far ahead."""
        self._writer = writer
        self._part_target = part_target
        self._silence_after = silence_after
        self._cuts: deque[Cut] = deque()
        self._held: deque[AccessUnit] = deque()
        self._part: list[AccessUnit] = []
        self._position = 0
        self._awaiting_cut = True
        self._received_ns: int | None = None
        self._apply(config)
        self._next_config = config

    def configure(self, config: AudioConfig) -> None:
        """Takes effect at the next discontinuity; units of the new configuration come after it."""
        self._next_config = config

    def discontinue(self) -> None:
        """Units from here on belong to a timeline that begins at the next cut that is a discontinuity."""
        self._release(None)
        self._awaiting_cut = True

    def cut(self, cut: Cut) -> None:
        self._cuts.append(cut)
        if self._awaiting_cut and (cut.discontinuity or not self._writer.open):
            self._begin_timeline(cut)

    def add(self, unit: AccessUnit, received_ns: int | None = None) -> None:
        """A unit waits for :meth:`advance`; too many waiting, and the oldest goes on (or is lost) unawaited."""
        self._held.append(unit)
        self._received_ns = received_ns
        limit = unit.dts - LONGEST_HOLD_S * self._rate
        while self._held[0].dts < limit or len(self._held) > MAX_HELD:
            oldest = self._held.popleft()
            if not self._awaiting_cut:
                self._place(oldest)

    def advance(self, pts: int | None) -> None:
        """The video has come to ``pts`` (90 kHz); None: there is no video to wait for."""
        if self._awaiting_cut:
            return
        self._release(pts)
        if pts is not None and not self._held:
            line = rescale(pts - self._silence_after, VIDEO_TIMESCALE, self._rate)
            if line > self._position:
                self._fill(line + self._rate * self._silence_after // (2 * VIDEO_TIMESCALE))

    def expire(self, msn: int) -> None:
        """Give up on segments up to ``msn``: what was not begun is a gap."""
        if not self._cuts or self._cuts[0].msn > msn:
            return
        self.close()
        while len(self._cuts) > 1 and self._cuts[0].msn <= msn:
            self._skip()
        self._position = max(self._position, self._begins(self._cuts[0]))

    def close(self) -> None:
        """Place what waits and complete the open segment."""
        if not self._awaiting_cut:
            self._release(None)
        self._flush(self._position)
        self._writer.finish()

    def _apply(self, config: AudioConfig) -> None:
        self._config = config
        self._rate = config.sample_rate
        self._frame = config.frame_samples
        self._silence = silent_frame(config) if config.codec is Codec.AAC else None
        self._part_samples = self._part_target * self._rate // VIDEO_TIMESCALE
        self._writer.configure(config)

    def _begin_timeline(self, cut: Cut) -> None:
        self._flush(self._position)
        self._writer.finish()
        while self._cuts[0] is not cut:
            self._skip()
        if self._next_config != self._config:
            self._apply(self._next_config)
        self._position = self._begins(cut)
        while self._held and self._held[0].dts + self._frame // 2 < self._position:
            self._held.popleft()
        if self._held and self._held[0].dts - self._position < self._frame:
            self._position = self._held[0].dts
        self._awaiting_cut = False

    def _release(self, pts: int | None) -> None:
        limit = None if pts is None else rescale(pts, VIDEO_TIMESCALE, self._rate)
        while self._held and (limit is None or self._held[0].dts <= limit):
            unit = self._held.popleft()
            if not self._awaiting_cut:
                self._place(unit)

    def _place(self, unit: AccessUnit) -> None:
        hole = unit.dts - self._position
        if 2 * hole < -self._frame:
            return
        if 2 * hole > 3 * self._frame:
            self._fill(unit.dts)
            if abs(unit.dts - self._position) > self._frame:
                self._flush(self._position)
                self._position = unit.dts
        self._put(unit)

    def _fill(self, until: int) -> None:
        """Silence from the position on, in whole frames, to ``until`` (sample rate)."""
        if self._silence is None or until - self._position > LONGEST_SILENCE_S * self._rate:
            return
        while self._position + self._frame // 2 < until:
            self._put(AccessUnit(Kind.AUDIO, self._position, 0, True, self._silence))

    def _put(self, unit: AccessUnit) -> None:
        if self._cuts and unit.dts + self._frame // 2 >= self._begins(self._cuts[0]):
            self._turn(unit)
        if not self._writer.open:
            self._position = unit.dts + self._frame
            return
        if not self._part:
            self._part_start = self._position
        self._part.append(unit)
        self._position = unit.dts + self._frame
        if self._position + self._frame - self._part_start > self._part_samples:
            self._flush(self._position)

    def _turn(self, unit: AccessUnit) -> None:
        self._flush(self._position)
        self._writer.finish()
        while len(self._cuts) > 1 and unit.dts + self._frame // 2 >= self._begins(self._cuts[1]):
            self._skip()
        self._writer.begin(self._cuts.popleft(), self._position)

    def _skip(self) -> None:
        cut = self._cuts.popleft()
        self._writer.gap(cut, self._cuts[0].pts)

    def _begins(self, cut: Cut) -> int:
        return rescale(cut.pts, VIDEO_TIMESCALE, self._rate)

    def _flush(self, end: int) -> None:
        """Write the open part. It starts where the last one ended; a correction of the audio clock, which moves a
        unit by less than a frame, ends in the duration of the frame before it or, across parts, of the unit."""
        if not self._part:
            return
        starts = [self._part_start, *(unit.dts for unit in self._part[1:])]
        ends = [*starts[1:], end]
        samples = [
            Sample(max(1, until - start), 0, True, unit.payload)
            for unit, start, until in zip(self._part, starts, ends, strict=True)
        ]
        self._writer.write(self._part_start, samples, self._received_ns)
        self._part = []
