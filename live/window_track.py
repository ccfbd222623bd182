"""One track of a live window: init segments, the entries of the live playlist, and the media still in memory.

Parts and segments are identified by MSN and part index. A message that repeats one changes nothing; a message that
skips one raises :class:`~live.errors.WindowGap` before it changes anything.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from live.errors import WindowGap
from live.window_snapshot import CompleteSegment, PartEntry, SegmentSnapshot, TrackSnapshot
from media.timescale import MICROSECONDS
from packager.cmaf.segment_writer import Init, Part, Segment
from packager.facts import SegmentEntry

# Durable segments that stay in memory, because players at the live edge still request them.
KEPT_SEGMENTS = 4


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A position in a media playlist: a part of segment ``msn``, or with ``part`` None the complete segment."""

    msn: int
    part: int | None = None


@dataclass(slots=True)
class WindowSegment:
    """A segment in memory. ``chunks`` are the bytes of its parts; when it is complete, ``data`` replaces them.
    ``opened`` is its entry without duration and size; ``fetched`` counts the parts that viewers have requested."""

    opened: SegmentEntry
    parts: list[PartEntry] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    data: bytes | None = None
    stored: bool = False
    fetched: int = 0

    def part(self, index: int) -> bytes | None:
        if index >= len(self.parts):
            return None
        if self.data is None:
            return self.chunks[index]
        start = sum(part.size for part in self.parts[:index])
        return self.data[start : start + self.parts[index].size]

    def snapshot(self) -> SegmentSnapshot:
        return SegmentSnapshot(self.opened, tuple(self.parts), tuple(self.chunks), self.data, self.stored)


class WindowTrack:
    """One track. ``changed`` is set and replaced by a new event whenever the track's end moves.

    ``entries`` are the segments of the live playlist. ``complete`` has these and the earlier ones that playlists of
    past positions list. Positions that were reached before ``recallable_from`` cannot be recalled.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.inits: dict[int, Init] = {}
        self.entries: deque[SegmentEntry] = deque()
        self.complete: dict[int, CompleteSegment] = {}
        self.segments: dict[int, WindowSegment] = {}
        self.open_segment: WindowSegment | None = None
        self.recallable_from = 0
        self.changed = asyncio.Event()

    @classmethod
    def from_snapshot(cls, snapshot: TrackSnapshot) -> Self:
        track = cls(snapshot.track)
        track.inits = {init.number: init for init in snapshot.inits}
        track.complete = {segment.entry.msn: segment for segment in snapshot.complete}
        if snapshot.complete:
            first = snapshot.complete[-1].first
            track.entries.extend(segment.entry for msn, segment in track.complete.items() if msn >= first)
        for held in snapshot.segments:
            segment = WindowSegment(held.opened, list(held.parts), list(held.chunks), held.data, held.stored)
            track.segments[held.opened.msn] = segment
            if held.data is None:
                track.open_segment = segment
        return track

    def snapshot(self) -> TrackSnapshot:
        return TrackSnapshot(
            self.name,
            tuple(self.inits.values()),
            tuple(self.complete.values()),
            tuple(segment.snapshot() for segment in self.segments.values()),
        )

    def add_init(self, init: Init) -> None:
        """Raises WindowGap."""
        if init.number in self.inits:
            return
        if init.number != max(self.inits, default=-1) + 1:
            raise WindowGap(f"init segment {init.number} of {self.name} arrived before the one it follows")
        self.inits[init.number] = init

    def add_part(self, part: Part, at: int) -> None:
        """Raises WindowGap."""
        held = self.open_segment
        if held is None or held.opened.msn != part.msn:
            if self._is_complete(part.msn):
                return
            held = self._open(part)
        elif part.index < len(held.parts):
            return
        elif part.index > len(held.parts):
            raise WindowGap(f"part {part.msn}.{part.index} of {self.name} arrived before the one it follows")
        held.parts.append(PartEntry(part.duration, len(part.data), part.independent, at))
        held.chunks.append(part.data)
        self.wake()

    def add_segment(self, segment: Segment, playlist_window_ms: int, at: int) -> None:
        """Raises WindowGap."""
        entry = segment.entry
        if self._is_complete(entry.msn):
            return
        held = self.open_segment
        self._check(entry, held)
        if held is not None:
            held.data, held.chunks = segment.data, []
            self.open_segment = None
        self.entries.append(entry)
        end_us = self._microseconds(entry, entry.start + entry.duration)
        while len(self.entries) > 1:
            following = self.entries[1]
            if end_us - self._microseconds(following, following.start) < 1000 * playlist_window_ms:
                break
            self.segments.pop(self.entries.popleft().msn, None)
        parts = tuple(held.parts) if held is not None else ()
        self.complete[entry.msn] = CompleteSegment(entry, parts, at, self.entries[0].msn)
        self._forget_before(self.complete[self.entries[0].msn].first)
        self.trim()
        self.wake()

    def mark_stored(self, msn: int) -> None:
        held = self.segments.get(msn)
        if held is not None:
            held.stored = True
            self.trim()

    def trim(self) -> None:
        """Release durable media, except the newest."""
        if not self.entries:
            return
        keep_from = self.entries[-1].msn - KEPT_SEGMENTS + 1
        for msn in [msn for msn, segment in self.segments.items() if msn < keep_from and segment.stored]:
            del self.segments[msn]

    def wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    @property
    def last_msn(self) -> int | None:
        """The newest complete segment."""
        return self.entries[-1].msn if self.entries else None

    @property
    def end(self) -> Position | None:
        """The newest part of the open segment, otherwise the newest complete segment."""
        opened = self.open_segment
        if opened is not None:
            return Position(opened.opened.msn, len(opened.parts) - 1)
        return None if self.last_msn is None else Position(self.last_msn)

    def newest(self, before: int | None) -> Position | None:
        """The newest part, or segment without parts; with ``before``, of those that arrived before it."""
        opened = self.open_segment
        if opened is not None:
            index = _last_before(opened.parts, before)
            if index is not None:
                return Position(opened.opened.msn, index)
        for segment in reversed(self.complete.values()):
            index = _last_before(segment.parts, before)
            if index is not None or (not segment.parts and (before is None or segment.at < before)):
                return Position(segment.entry.msn, index)
        return None

    def has(self, position: Position) -> bool:
        """Whether the playlist has reached ``position``."""
        if self.entries and position.msn <= self.entries[-1].msn:
            return True
        opened = self.open_segment
        if position.part is None or opened is None:
            return False
        return position.msn == opened.opened.msn and position.part < len(opened.parts)

    def normalize(self, position: Position) -> Position:
        """A part beyond the last one of a complete segment is the first of the next segment with parts (6.2.5.2).
        Positions before the window are not changed: the part counts of their segments are no longer known."""
        if position.part is None or not self.entries or position.msn < self.entries[0].msn:
            return position
        last = self.entries[-1].msn
        while position.msn <= last and (position.part or 0) >= len(self.complete[position.msn].parts):
            position = Position(position.msn + 1, 0)
        return position

    def reached_at(self, position: Position) -> int | None:
        """The arrival at which the playlist reached ``position``, which is normalized. None if it has not, or if
        the newest segment that was complete by then has left the window."""
        newest = position.msn if position.part is None else position.msn - 1
        if not self.has(position) or not self.entries or newest < self.entries[0].msn:
            return None
        if position.part is None:
            return self.complete[position.msn].at
        return self.parts_of(position.msn)[position.part].at

    def entries_at(self, position: Position) -> Sequence[SegmentEntry]:
        """The segments that the playlist listed when it reached ``position``."""
        newest = position.msn if position.part is None else position.msn - 1
        if newest == self.last_msn or newest not in self.complete:
            return self.entries
        first = self.complete[newest].first
        return [segment.entry for msn, segment in self.complete.items() if first <= msn <= newest]

    def parts_of(self, msn: int) -> Sequence[PartEntry]:
        """The parts of a segment that exist so far, even if its media has left memory."""
        opened = self.open_segment
        if opened is not None and opened.opened.msn == msn:
            return opened.parts
        segment = self.complete.get(msn)
        return segment.parts if segment is not None else ()

    def entry_of(self, msn: int) -> SegmentEntry | None:
        """A segment's entry; it has no duration and size while the segment is open."""
        opened = self.open_segment
        if opened is not None and opened.opened.msn == msn:
            return opened.opened
        segment = self.complete.get(msn)
        return segment.entry if segment is not None else None

    def _is_complete(self, msn: int) -> bool:
        return bool(self.entries) and msn <= self.entries[-1].msn

    def _open(self, part: Part) -> WindowSegment:
        name = f"part {part.msn}.{part.index} of {self.name}"
        if part.index != 0:
            raise WindowGap(f"{name} arrived before the segment's first part")
        if self.open_segment is not None:
            raise WindowGap(f"{name} arrived before segment {self.open_segment.opened.msn} was complete")
        if self.entries and part.msn != self.entries[-1].msn + 1:
            raise WindowGap(f"{name} does not follow segment {self.entries[-1].msn}")
        if part.opened.init not in self.inits:
            raise WindowGap(f"{name} needs init segment {part.opened.init}, which did not arrive")
        self.open_segment = self.segments[part.msn] = WindowSegment(part.opened)
        return self.open_segment

    def _check(self, entry: SegmentEntry, held: WindowSegment | None) -> None:
        """Raises WindowGap unless ``entry`` completes the open segment ``held``, or is the next one and a gap."""
        name = f"segment {entry.msn} of {self.name}"
        if self.entries and entry.msn != self.entries[-1].msn + 1:
            raise WindowGap(f"{name} does not follow segment {self.entries[-1].msn}")
        if not self.entries and entry.run is not None and entry.run.msn != entry.msn:
            raise WindowGap(f"{name} continues segments that did not arrive")
        if entry.init not in self.inits:
            raise WindowGap(f"{name} needs init segment {entry.init}, which did not arrive")
        if held is not None and held.opened.msn != entry.msn:
            raise WindowGap(f"{name} arrived before segment {held.opened.msn} was complete")
        if entry.size != (sum(part.size for part in held.parts) if held is not None else 0):
            raise WindowGap(f"{name} is complete, but some of its parts did not arrive")

    def _forget_before(self, msn: int) -> None:
        while (oldest := next(iter(self.complete))) < msn:
            del self.complete[oldest]
            following = next(iter(self.complete.values()))
            self.recallable_from = following.parts[0].at if following.parts else following.at

    def _microseconds(self, entry: SegmentEntry, ticks: int) -> int:
        """Converts ``ticks`` of the entry's own timescale: a later init segment may have changed the timescale."""
        return ticks * MICROSECONDS // self.inits[entry.init].config.timescale


def _last_before(parts: Sequence[PartEntry], before: int | None) -> int | None:
    for index in range(len(parts) - 1, -1, -1):
        if before is None or parts[index].at < before:
            return index
    return None
