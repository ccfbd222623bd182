"""Writes one track's CMAF: init segments, parts, and segments that are exactly the bytes of their parts.

Video and audio tracks pass it samples with durations. It passes init segments, parts and segments to a
:class:`TrackSink`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from media.configs import AudioConfig, TrackConfig
from media.units import Kind
from packager.cmaf.bitrate import TrackBitrate
from packager.cmaf.cut import Cut
from packager.cmaf.entries import assign_run_at_cut, gap_entry, segment_entry
from packager.cmaf.fragment import ProducerReference, Sample, fragment
from packager.cmaf.init_segment import init_segment
from packager.facts import SegmentEntry


@dataclass(frozen=True, slots=True)
class Init:
    """Init segment ``number`` of a track; each segment entry has the number of the one it needs."""

    track: str
    number: int
    config: TrackConfig
    frame_rate: Fraction | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """One CMAF chunk. ``index`` counts from 0 in its segment; ``start`` and ``duration`` are ticks of the track's
    timescale. ``opened`` is the entry of its segment, with a duration and a size of 0. The first part may have
    ``received_ns``, when its first frame arrived in Unix nanoseconds."""

    track: str
    msn: int
    index: int
    start: int
    duration: int
    independent: bool
    data: bytes
    opened: SegmentEntry
    received_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A complete segment of ``samples`` samples. ``data`` is empty for a gap."""

    track: str
    entry: SegmentEntry
    data: bytes
    samples: int = 0


class TrackSink(Protocol):
    """Receives a track's CMAF, synchronously and in order."""

    def on_init(self, init: Init) -> None: ...

    def on_part(self, part: Part) -> None: ...

    def on_segment(self, segment: Segment) -> None: ...


@dataclass(frozen=True, slots=True)
class WriterResumePoint:
    """Where a track's writer continues after an interruption: the newest init segment, the newest segment's entry
    (None before the first) and the number of fragments written."""

    init: Init
    last: SegmentEntry | None
    fragments: int


class SegmentWriter:
    """Writes one track. ``zero_ms`` is the Unix time of broadcast time zero, in milliseconds; ``resume`` continues
    a track that another writer started."""

    def __init__(
        self, track: str, sink: TrackSink, zero_ms: int, *, resume: WriterResumePoint | None = None
    ) -> None:
        self._track = track
        self._sink = sink
        self._zero_ms = zero_ms
        self._init = resume.init if resume is not None else None
        self._last = resume.last if resume is not None else None
        self._sequence = resume.fragments if resume is not None else 0
        self._cut: Cut | None = None
        self._start = 0
        self._end = 0
        self._lead = 0
        self._parts: list[bytes] = []
        self._samples = 0
        self._opened: SegmentEntry | None = None

    @property
    def timescale(self) -> int:
        return self._current.config.timescale

    @property
    def open(self) -> bool:
        return self._cut is not None

    @property
    def msn(self) -> int | None:
        """The open segment's number, or None."""
        return self._cut.msn if self._cut else None

    def configure(
        self, config: TrackConfig, frame_rate: Fraction | None = None, bitrate: TrackBitrate | None = None
    ) -> int:
        """Use ``config`` for segments that begin from now on, and return the number of its init segment.

        If ``config`` is in use already, nothing is written.
        """
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
        """Write ``samples`` as the open segment's next part, and return its end.

        ``received_ns`` is the Unix time at which the segment's first frame arrived, in nanoseconds.
        """
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
            received_ns=received_ns if first else None,
        )
        self._parts.append(data)
        self._samples += len(samples)
        self._sink.on_part(part)
        return self._end

    def finish(self) -> None:
        """Complete the open segment. A segment without parts gets no entry."""
        cut, parts, samples = self._cut, self._parts, self._samples
        self._cut, self._parts, self._samples = None, [], 0
        if cut is not None and parts:
            data = b"".join(parts)
            entry = self._entry(cut, self._start + self._lead, self._end + self._lead, len(data))
            self._complete(cut, entry, data, samples)

    def gap(self, cut: Cut, end_pts: int) -> None:
        """Write a segment without media, from ``cut`` to ``end_pts`` (90 kHz).

        A track without an init segment is not in any playlist yet, so nothing is written.
        """
        if self._init is None:
            return
        entry = gap_entry(cut, end_pts, timescale=self.timescale, init=self._init.number, zero_ms=self._zero_ms)
        self._complete(cut, entry, b"")

    @property
    def _current(self) -> Init:
        if self._init is None:
            raise AssertionError("a track must be configured before it is written")
        return self._init

    def _complete(self, cut: Cut, entry: SegmentEntry, data: bytes, samples: int = 0) -> None:
        self._last = assign_run_at_cut(entry, self._last, cut, timescale=self.timescale)
        self._sink.on_segment(Segment(self._track, self._last, data, samples))

    def _entry(self, cut: Cut, start: int, end: int, size: int = 0) -> SegmentEntry:
        init = self._current
        return segment_entry(
            cut, start, end, timescale=init.config.timescale, init=init.number, zero_ms=self._zero_ms, size=size
        )
