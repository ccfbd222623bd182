"""Writes one track's CMAF: init segments, parts, and segments that are exactly their parts put together.

Video and audio tracks give it samples with durations; it hands what it writes to a :class:`TrackSink`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from media.configs import AudioConfig, TrackConfig
from media.timescale import MILLISECONDS, rescale
from media.units import VIDEO_TIMESCALE, Kind
from packager.cmaf.bitrate import TrackBitrate
from packager.cmaf.cutter import Cut
from packager.cmaf.fragment import ProducerReference, Sample, fragment
from packager.cmaf.init_segment import init_segment
from packager.facts import SegmentEntry, follow


@dataclass(frozen=True, slots=True)
class Init:
    """Init segment ``number`` of a track; segments name the one they need."""

    track: str
    number: int
    config: TrackConfig
    frame_rate: Fraction | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """One CMAF chunk. ``index`` counts from 0 in its segment; ``start`` and ``duration`` are ticks of the track's
    timescale. ``opened`` is its segment's entry, of no length yet."""

    track: str
    msn: int
    index: int
    start: int
    duration: int
    independent: bool
    data: bytes
    opened: SegmentEntry


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment that is complete. ``data`` is empty for a gap."""

    track: str
    entry: SegmentEntry
    data: bytes


class TrackSink(Protocol):
    """Where a track's CMAF goes; called synchronously, in order."""

    def on_init(self, init: Init) -> None: ...

    def on_part(self, part: Part) -> None: ...

    def on_segment(self, segment: Segment) -> None: ...


class SegmentWriter:
    """One track's open segment. ``zero_ms`` is the Unix time, in milliseconds, of broadcast time zero."""

    def __init__(self, track: str, sink: TrackSink, zero_ms: int) -> None:
        self._track = track
        self._sink = sink
        self._zero_ms = zero_ms
        self._init: Init | None = None
        self._sequence = 0
        self._cut: Cut | None = None
        self._start = 0
        self._end = 0
        self._lead = 0
        self._parts: list[bytes] = []
        self._last: SegmentEntry | None = None
        self._opened: SegmentEntry | None = None

    @property
    def timescale(self) -> int:
        return self._current.config.timescale

    @property
    def open(self) -> bool:
        return self._cut is not None

    @property
    def msn(self) -> int | None:
        """The open segment's number."""
        return self._cut.msn if self._cut else None

    def configure(
        self, config: TrackConfig, frame_rate: Fraction | None = None, bitrate: TrackBitrate | None = None
    ) -> int:
        """Segments begun from now on need ``config``; its init's number. A repeated one costs nothing."""
        if self._init is not None and self._init.config == config:
            return self._init.number
        number = 0 if self._init is None else self._init.number + 1
        self._init = Init(self._track, number, config, frame_rate, init_segment(config, bitrate=bitrate))
        self._sink.on_init(self._init)
        return number

    def begin(self, cut: Cut, start: int, *, lead: int = 0) -> None:
        """Open the segment of ``cut``; its first sample is decoded at ``start`` and presented ``lead`` later."""
        self._cut, self._start, self._end, self._lead = cut, start, start, lead
        self._opened = self._entry(cut, start + lead, start + lead)

    def write(self, start: int, samples: Sequence[Sample], received_ns: int | None = None) -> int:
        """Write ``samples`` as the open segment's next part; returns its end. ``received_ns`` is Unix time."""
        assert self._cut is not None
        first = not self._parts
        reference = None
        if first and received_ns is not None:
            reference = ProducerReference(unix_ns=received_ns, media_time=start)
        kind = Kind.AUDIO if isinstance(self._current.config, AudioConfig) else Kind.VIDEO
        self._sequence += 1
        data = fragment(
            self._sequence, start, samples, kind=kind, producer_reference=reference, first_of_segment=first
        )
        self._end = start + sum(sample.duration for sample in samples)
        assert self._opened is not None
        part = Part(
            track=self._track,
            msn=self._cut.msn,
            index=len(self._parts),
            start=start,
            duration=self._end - start,
            independent=samples[0].key,
            data=data,
            opened=self._opened,
        )
        self._parts.append(data)
        self._sink.on_part(part)
        return self._end

    def finish(self) -> None:
        """Complete the open segment; one without parts is never named."""
        cut, parts = self._cut, self._parts
        self._cut, self._parts = None, []
        if cut is not None and parts:
            data = b"".join(parts)
            entry = self._entry(cut, self._start + self._lead, self._end + self._lead, len(data))
            self._complete(cut, entry, data)

    def gap(self, cut: Cut, end_pts: int) -> None:
        """Say that the segment of ``cut``, up to ``end_pts`` (90 kHz), has no media on this track; before the
        track's first init there is nothing to say."""
        if self._init is None:
            return
        start = rescale(cut.pts, VIDEO_TIMESCALE, self.timescale)
        end = rescale(end_pts, VIDEO_TIMESCALE, self.timescale)
        self._complete(cut, replace(self._entry(cut, start, end), gap=True), b"")

    @property
    def _current(self) -> Init:
        if self._init is None:
            raise AssertionError("a track is configured before it is written")
        return self._init

    def _complete(self, cut: Cut, entry: SegmentEntry, data: bytes) -> None:
        self._last = follow(entry, self._last, start_ms=rescale(cut.pts, VIDEO_TIMESCALE, MILLISECONDS))
        self._sink.on_segment(Segment(self._track, self._last, data))

    def _entry(self, cut: Cut, start: int, end: int, size: int = 0) -> SegmentEntry:
        return SegmentEntry(
            msn=cut.msn,
            start=start,
            duration=end - start,
            size=size,
            init=self._current.number,
            discontinuity=cut.discontinuity,
            gap=False,
            wall_ms=self._zero_ms + rescale(start, self.timescale, MILLISECONDS),
            independent=cut.independent,
            discontinuities=cut.discontinuities,
        )
