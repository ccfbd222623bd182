"""A video track: gives every access unit its place on a decoding timeline that is continuous to the tick.

While the intervals between frames are equal, a part is written with its last frame, before the next frame shows how
long that frame lasts. Otherwise it is written when the next frame arrives. The next part starts exactly where the
last one ends. If that is not its first frame's decoding time, the frame's composition offset takes up the
difference, so presentation times stay exact.

No part is longer than the part target (rfc8216bis, 4.4.4.9), whatever the interval to the next frame is: the next
part takes the rest of the interval. Every part but a segment's last is as long as the target or ends a frame before
it, with one exception: if the last interval before a cut does not fit into the last part, that frame gets a part of
its own, and the part before it may be shorter than 85 % if frames last longer than 15 % of the target. Decoding
times fall behind the frames' own by LONGEST_CLOSED_HOLE at most, so an interval that is longer than a part and this
makes a longer part: a part cannot be empty.

If an encoder dies, or drops frames because it is slow, a segment lacks its last frames. Players stall at a hole, so
it lasts to the next cut nevertheless: its keyframe is repeated, once per part. Whole segments that are missing are
gaps.

Decoding times are the source's, and offsets of B-frames stay positive: FFmpeg's demuxer delays a whole track by its
most negative offset. FFmpeg also reads one init segment only, so once the configuration has changed, segments begin
with their parameter sets.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from media.codecs import video_codec
from media.configs import VideoConfig
from media.units import VIDEO_TIMESCALE, AccessUnit
from packager.cmaf.bitrate import TrackBitrate
from packager.cmaf.cut import Cut
from packager.cmaf.fragment import Sample
from packager.cmaf.frame_interval import LONGEST_STALL, FrameInterval
from packager.cmaf.pending_cuts import PendingCuts
from packager.cmaf.segment_writer import SegmentWriter

# 90 kHz ticks. A longer hole before a segment stays in the timeline; a shorter one is closed.
LONGEST_CLOSED_HOLE = LONGEST_STALL
# If a segment's first frame is later than its cut by more, the newest keyframe is shown until then.
LONGEST_LATE_START = VIDEO_TIMESCALE // 10
# In percent: the least duration of every part but a segment's last, relative to the part target.
SHORTEST_PERCENT = 85
MAX_PART_SAMPLES = 512
MAX_PART_BYTES = 8 << 20
# The bytes of a segment's repeated keyframe.
MAX_STILL_BYTES = 16 << 20


class VideoTrack:
    """Takes cuts and units in order, each cut before its first unit. Times are 90 kHz ticks of broadcast time."""

    def __init__(self, writer: SegmentWriter, *, part_target: int) -> None:
        self._writer = writer
        self._part_target = part_target
        self._cuts = PendingCuts(writer)
        self._part: list[AccessUnit] = []
        self._decodes: list[int] = []
        self._part_bytes = 0
        self._end = 0
        self._lead = 0
        self._interval = FrameInterval()
        self._timeline_ended = True
        # The keyframe with which the newest segment begins, and the bytes of its repetitions.
        self._keyframe: bytes | None = None
        self._still_bytes = 0
        # The latest presentation time of the newest part.
        self._shown = 0
        self._init: int | None = None
        self._received_ns: int | None = None
        # Precede each segment's first unit after the configuration changed; empty before.
        self._parameter_sets = b""
        self._join: Callable[[Sequence[bytes]], bytes] = b"".join
        self._next_config: tuple[VideoConfig, Fraction | None, TrackBitrate | None] | None = None
        self._slate_config: VideoConfig | None = None

    def configure(
        self, config: VideoConfig, frame_rate: Fraction | None, bitrate: TrackBitrate | None = None
    ) -> None:
        """Use the configuration from the next discontinuity on."""
        self._next_config = (config, frame_rate, bitrate)

    def show_slate(self, config: VideoConfig | None) -> None:
        """Use ``config`` from the next discontinuity on instead of the track's own; None ends that."""
        self._slate_config = config

    def cut(self, cut: Cut) -> None:
        self._cuts.append(cut)

    def add(self, unit: AccessUnit, received_ns: int | None = None) -> None:
        """Place the unit. ``received_ns`` is the Unix time at which it arrived, in nanoseconds.

        After a hole in the decoding times, units are dropped until a segment begins.
        """
        if self._interval.follows_hole(unit.dts):
            self._break_off()
        if self._cuts and unit.pts >= self._cuts[0].pts and self._may_begin(unit.key, self._cuts[0]):
            self._begin_segment(unit)
            self._received_ns = received_ns
            if self._parameter_sets:
                unit = unit._replace(payload=self._join((self._parameter_sets, unit.payload)))
            self._keyframe = unit.payload if unit.key else None
        if not self._writer.open:
            return
        interval = self._interval
        interval.add(unit.dts)
        decode = self._place(unit)
        self._part.append(unit)
        self._decodes.append(decode)
        self._part_bytes += len(unit.payload)
        now = max(unit.dts, decode)
        elapsed = now - self._decodes[0]
        frame = interval.expected
        if elapsed >= self._part_target:
            self._flush_until(now)
        elif (frame is not None and self._is_full(elapsed, frame)) or (
            len(self._part) >= MAX_PART_SAMPLES or self._part_bytes >= MAX_PART_BYTES
        ):
            self._flush_until(now + interval.latest)

    def show_still(self, until: int) -> None:
        """Show the keyframe of the open segment up to presentation time ``until``, or up to the next segment: its
        other units do not come."""
        if self._cuts and self._cuts[0].pts <= until:
            self._break_off()
        elif self._writer.open:
            self._repeat_keyframe(until - self._lead, whole_parts=True)

    def expire(self, msn: int, expected_end: int | None = None) -> None:
        """Give up on segments up to ``msn``: those that have no media yet become gaps (see
        :meth:`PendingCuts.expire`)."""
        if self._cuts.expires(msn):
            self._break_off()
            self._cuts.expire(msn, expected_end)

    def close(self) -> None:
        """Complete the open segment."""
        if self._part:
            self._flush_until(self._decodes[-1] + self._interval.latest)
        self._writer.finish()
        self._timeline_ended = True

    def _may_begin(self, key: bool, cut: Cut) -> bool:
        return key or not cut.independent or (cut.sound_alone and self._writer.open)

    def _begin_segment(self, unit: AccessUnit) -> None:
        if len(self._cuts) > 1 and unit.pts >= self._cuts[1].pts:
            self._break_off()
        cut = self._cuts.take(lambda cut: unit.pts >= cut.pts)
        if cut.sound_alone:
            cut = replace(cut, independent=unit.key)
        begins_timeline = cut.discontinuity or self._timeline_ended
        if begins_timeline:
            self.close()
            self._begin_timeline(unit, cut)
        else:
            self._end_segment(unit, cut)
        self._writer.begin(cut, self._end, lead=self._lead)
        self._still_bytes = 0
        if begins_timeline and unit.pts - self._lead - self._end > LONGEST_LATE_START:
            self._repeat_keyframe(unit.pts - self._lead)

    def _begin_timeline(self, unit: AccessUnit, cut: Cut) -> None:
        """Begin a timeline with ``unit``, or go on with the one that broke off at the time of ``cut``."""
        slate = self._slate_config
        newest = self._next_config if slate is None else (slate, None, None)
        if newest is None:
            raise AssertionError("a track must be configured before units are added")
        config, frame_rate, bitrate = newest
        before, self._init = self._init, self._writer.configure(config, frame_rate, bitrate)
        if self._init > 0:
            codec = video_codec(config.codec)
            self._parameter_sets, self._join = codec.parameter_sets(config.record), codec.join
        self._interval = FrameInterval(round(VIDEO_TIMESCALE / frame_rate) if frame_rate else None)
        self._timeline_ended = False
        if cut.discontinuity or self._keyframe is None or self._init != before:
            self._keyframe = None
            self._lead = unit.cts
            # Without a discontinuity, decoding times continue behind what was written.
            self._end = max(unit.dts, 0 if cut.discontinuity else self._end)
        else:
            self._end = max(self._end, cut.pts - self._lead)

    def _break_off(self) -> None:
        """Complete the open segment without the units that are missing from it."""
        if self._writer.open and self._cuts and not self._cuts[0].discontinuity:
            self._repeat_keyframe(self._cuts[0].pts - self._lead)
        self.close()

    def _repeat_keyframe(self, end: int, *, whole_parts: bool = False) -> None:
        """Fill the open segment with its keyframe up to decoding time ``end``. The open part ends first."""
        while True:
            start = self._decodes[0] if self._part else self._end
            until = min(start + self._part_target, end)
            if until <= start or (whole_parts and until < start + self._part_target):
                return
            if self._part:
                self._flush_until(max(until, self._decodes[-1] + 1))
                continue
            keyframe = self._keyframe
            if keyframe is None or self._still_bytes + len(keyframe) > MAX_STILL_BYTES:
                return
            self._still_bytes += len(keyframe)
            # After frames that were decoded early and are presented late.
            offset = max(self._lead, self._shown + 1 - start)
            self._end = self._writer.write(start, [Sample(until - start, offset, True, keyframe)])

    def _end_segment(self, unit: AccessUnit, cut: Cut) -> None:
        """End the open segment where ``unit`` begins the next one: at its presentation time, less the lead, or at
        the cut if that is in the interval before ``unit``.

        If the unit's offset exceeds the lead by more than a frame, the segments begin later than their media,
        because the offsets of the next frames would be negative.
        """
        start = min(unit.pts - self._lead, unit.dts + self._interval.latest)
        newest = self._decodes[-1] if self._part else self._end - 1
        if newest < cut.pts - self._lead < start:
            start = cut.pts - self._lead
        if self._part:
            start = max(start, self._decodes[-1] + 1)
            if start - self._decodes[0] > self._part_target and len(self._part) > 1:
                self._flush_all_but_last()
            self._flush_until(start)
        if start - self._end > LONGEST_CLOSED_HOLE:
            self._end = start
        self._writer.finish()

    def _place(self, unit: AccessUnit) -> int:
        """The decoding time of ``unit``; writes the open part if ``unit`` cannot be in it."""
        if self._part:
            decode = max(unit.dts, self._decodes[-1] + 1)
            if decode - self._decodes[0] < self._part_target:
                return decode
            self._flush_until(decode)
        return self._end

    def _is_full(self, elapsed: int, frame: int) -> bool:
        """Whether the open part can end with its last frame, which begins ``elapsed`` after the part and lasts
        ``frame``: the next frame would not fit, and the part is long enough."""
        target = self._part_target
        return elapsed + 2 * frame > target + frame // 8 and 100 * (elapsed + frame) >= SHORTEST_PERCENT * target

    def _flush_all_but_last(self) -> None:
        unit, decode = self._part.pop(), self._decodes.pop()
        self._flush(decode)
        self._part, self._decodes, self._part_bytes = [unit], [decode], len(unit.payload)

    def _flush_until(self, end: int) -> None:
        """Write the open part up to ``end``, or up to the part target if that is earlier and not too far away."""
        longest = max(self._decodes[0] + self._part_target, end - LONGEST_CLOSED_HOLE)
        self._flush(min(end, longest))

    def _flush(self, end: int) -> None:
        """Write the open part. Its last frame ends at ``end``."""
        decodes = self._decodes
        samples = [
            Sample(until - decode, dts + cts - decode, key, payload)
            for (_, dts, cts, key, payload, _), decode, until in zip(
                self._part, decodes, (*decodes[1:], end), strict=True
            )
        ]
        self._shown = max(unit.dts + unit.cts for unit in self._part)
        self._end = self._writer.write(decodes[0], samples, self._received_ns)
        self._part, self._decodes, self._part_bytes = [], [], 0
