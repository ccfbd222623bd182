"""An audio track: frames on one continuous, sample-exact timeline, cut at the same times as the video.

Audio may arrive before the video it belongs to, so a unit is held until the video has passed it, when all cuts
before it are known. If audio is missing while the video continues, silence of the same configuration fills in: a
player stalls on an audio rendition without media.
"""

from collections import deque
from collections.abc import Callable

from media.codecs import audio_codec
from media.configs import AudioConfig
from media.timescale import rescale
from media.units import VIDEO_TIMESCALE, AccessUnit, Kind
from packager.cmaf.cut import Cut
from packager.cmaf.fragment import Sample
from packager.cmaf.pending_cuts import PendingCuts
from packager.cmaf.segment_writer import SegmentWriter

# Seconds of audio that are held until the video passes; older audio is placed at once.
SHORTEST_HOLD_S = 1
# If the encoder sends one track later than the other, the tracks wait for each other, at most this many seconds.
LONGEST_WAIT_S = 10
MAX_HELD = 1024
# Seconds of silence that fill one hole; a longer hole stays in the timeline.
LONGEST_SILENCE_S = 30


class AudioTrack:
    """Takes cuts, units and the video's position in order. Unit times are ticks of the sample rate, in broadcast
    time."""

    def __init__(
        self,
        writer: SegmentWriter,
        config: AudioConfig,
        *,
        part_target: int,
        silence_after: int,
        on_late: Callable[[], None] = lambda: None,
    ) -> None:
        """``part_target`` and ``silence_after`` are 90 kHz ticks. Silence fills in when the video is
        ``silence_after`` ahead. ``on_late`` is called for each unit that is dropped, because silence has taken its
        time."""
        self._writer = writer
        self._on_late = on_late
        self._part_target = part_target
        self._silence_after = self._usual_silence_after = silence_after
        self._passed = 0
        self._cuts = PendingCuts(writer)
        self._held: deque[AccessUnit] = deque()
        self._part: list[AccessUnit] = []
        self._part_start = 0
        self._position = 0
        self._newest = 0
        self._hold_s = SHORTEST_HOLD_S
        self._awaiting_cut = True
        self._received_ns: int | None = None
        self._apply(config)
        self._next_config = config

    def configure(self, config: AudioConfig) -> None:
        """Use the configuration from the next discontinuity on. Units of the old one that are held have no place
        after it."""
        if config != self._next_config:
            self._held.clear()
        self._next_config = config

    def discontinue(self) -> None:
        """Hold the units that follow until the next cut with a discontinuity: they belong to its timeline. So do
        units that the video has not passed."""
        self._release(self._passed)
        self._awaiting_cut = True

    def discontinue_at_hole(self, start: int, end: int) -> None:
        """The video has a hole from ``start`` to ``end`` (90 kHz). If the audio has it too, hold the units after it
        until the next cut with a discontinuity, and fill it with no silence."""
        margin = (end - start) // 4
        first, last = (rescale(pts, VIDEO_TIMESCALE, self._rate) for pts in (start + margin, end - margin))
        goes_on = self._position > first or any(first < unit.dts < last for unit in self._held)
        if not self._awaiting_cut and not goes_on:
            self._release(start + margin)
            self._awaiting_cut = True

    def cut(self, cut: Cut) -> None:
        self._cuts.append(cut)
        if self._awaiting_cut and (cut.discontinuity or not self._writer.open):
            self._begin_timeline(cut)

    def add(self, unit: AccessUnit, received_ns: int | None = None) -> None:
        """Hold the unit until :meth:`advance`. If too many are held, place the oldest now, or drop it while no
        timeline has begun."""
        self._held.append(unit)
        self._newest = unit.dts
        self._wait_for_late_audio(unit.dts)
        self._received_ns = received_ns
        # Counted in frames, because a hole in the timestamps says nothing about the video.
        most = min(MAX_HELD, self._hold_s * self._rate // self._frame + 1)
        while len(self._held) > most:
            oldest = self._held.popleft()
            if not self._awaiting_cut:
                self._place(oldest)

    def advance(self, pts: int | None) -> None:
        """Place the units that the video has passed. ``pts`` is the video's position (90 kHz), or None without
        video."""
        if pts is not None:
            self._passed = pts
            ahead_s = self._newest // self._rate - pts // VIDEO_TIMESCALE
            if ahead_s >= self._hold_s:
                self._hold_s = min(ahead_s + 1, LONGEST_WAIT_S)
        if self._awaiting_cut:
            return
        self._release(pts)
        if pts is not None and not self._held:
            target = rescale(pts - self._silence_after, VIDEO_TIMESCALE, self._rate)
            if target > self._position:
                self._fill(target + self._rate * self._silence_after // (2 * VIDEO_TIMESCALE))

    @property
    def has_silence(self) -> bool:
        """Whether silence can be written in this configuration."""
        return self._silence is not None

    def add_silence(self, until: int) -> None:
        """Write silence up to ``until`` (90 kHz): no units come."""
        if not self._awaiting_cut:
            self._fill(rescale(until, VIDEO_TIMESCALE, self._rate))

    def expire(self, msn: int) -> None:
        """Give up on segments up to ``msn``: those that have no media yet become gaps."""
        if self._cuts.expires(msn) and not self._awaiting_cut:
            # The units that are held may begin these segments.
            self._release(None)
        if self._cuts.expires(msn):
            self.close()
            self._cuts.expire(msn)
            self._position = max(self._position, self._start_of(self._cuts[0]))

    def close(self, end: int | None = None) -> None:
        """Place the units that are held and complete the open segment, which ends at ``end`` (90 kHz) at the
        latest."""
        if not self._awaiting_cut:
            self._release(end)
            self._held.clear()
        self._end_segment()

    def _apply(self, config: AudioConfig) -> None:
        self._config = config
        self._rate = config.sample_rate
        self._frame = config.frame_samples
        self._silence = audio_codec(config.codec).silence(config)
        self._part_samples = self._part_target * self._rate // VIDEO_TIMESCALE
        self._writer.configure(config)

    def _begin_timeline(self, cut: Cut) -> None:
        self._end_segment()
        self._cuts.skip_to(cut)
        if self._next_config != self._config:
            self._apply(self._next_config)
        self._position = self._start_of(cut)
        while self._held and self._held[0].dts + self._frame // 2 < self._position:
            self._held.popleft()
        if self._held and self._held[0].dts - self._position < self._frame:
            self._position = self._held[0].dts
        self._awaiting_cut = False

    def _wait_for_late_audio(self, dts: int) -> None:
        """Let no silence take the place of audio that is only late. ``dts`` is the newest unit's."""
        late = self._passed - dts * VIDEO_TIMESCALE // self._rate
        if late > self._silence_after:
            self._silence_after = min(late + VIDEO_TIMESCALE, LONGEST_WAIT_S * VIDEO_TIMESCALE)
        elif 2 * late < self._usual_silence_after:
            self._silence_after = self._usual_silence_after

    def _release(self, pts: int | None) -> None:
        limit = None if pts is None else rescale(pts, VIDEO_TIMESCALE, self._rate)
        while self._held and (limit is None or self._held[0].dts <= limit):
            unit = self._held.popleft()
            if not self._awaiting_cut:
                self._place(unit)

    def _place(self, unit: AccessUnit) -> None:
        hole = unit.dts - self._position
        if 2 * hole < -self._frame:
            self._on_late()
            return
        if 2 * hole > 3 * self._frame:
            self._fill(unit.dts)
            if abs(unit.dts - self._position) > self._frame:
                self._flush(self._position)
                self._position = unit.dts
        self._append(unit)

    def _fill(self, until: int) -> None:
        """Write silence from the current position to ``until`` (ticks of the sample rate), in whole frames."""
        if self._silence is None or until - self._position > LONGEST_SILENCE_S * self._rate:
            return
        while self._position + self._frame // 2 < until:
            self._append(AccessUnit(Kind.AUDIO, self._position, 0, True, self._silence))

    def _append(self, unit: AccessUnit) -> None:
        if self._cuts:
            if unit.dts + self._frame // 2 >= self._start_of(self._cuts[0]):
                self._begin_segment(unit)
            elif self._passes_end(unit, self._cuts[0]):
                self._end_segment()
        if not self._writer.open:
            self._position = unit.dts + self._frame
            return
        if self._part and unit.dts + self._frame - self._part_start > self._part_samples:
            # A correction of the audio clock makes the part longer than its frames.
            self._flush(self._position)
        if not self._part:
            self._part_start = self._position
        self._part.append(unit)
        self._position = unit.dts + self._frame
        if self._position + self._frame - self._part_start > self._part_samples:
            self._flush(self._position)

    def _passes_end(self, unit: AccessUnit, cut: Cut) -> bool:
        """Whether the segment before the discontinuity of ``cut`` would be too long with ``unit``: its video ended
        early, and its audio goes on."""
        if cut.before_ends is None:
            return False
        return unit.dts + self._frame > rescale(cut.before_ends, VIDEO_TIMESCALE, self._rate)

    def _end_segment(self) -> None:
        self._flush(self._position)
        self._writer.finish()

    def _begin_segment(self, unit: AccessUnit) -> None:
        self._end_segment()
        middle = unit.dts + self._frame // 2
        self._writer.begin(self._cuts.take(lambda cut: middle >= self._start_of(cut)), self._position)

    def _start_of(self, cut: Cut) -> int:
        return rescale(cut.pts, VIDEO_TIMESCALE, self._rate)

    def _flush(self, end: int) -> None:
        """Write the open part, which starts at the end of the part before it.

        A correction of the audio clock moves a unit by less than a frame. It changes the duration of the frame
        before that unit or, at the start of a part, the duration of the unit itself.
        """
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
