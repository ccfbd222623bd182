"""One track of a live window: inits, the entries of the live playlist, and the media that is still in memory."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from packager.cmaf.segment_writer import Part, Segment
from packager.facts import SegmentEntry

# Segments kept in memory although they are durable: what players at the live edge still ask for.
KEPT_SEGMENTS = 4


@dataclass(frozen=True, slots=True)
class PartEntry:
    """One part as playlists know it; ``duration`` is ticks of the track's timescale."""

    duration: int
    size: int
    independent: bool


@dataclass(slots=True)
class WindowSegment:
    """A segment as far as it is made; ``data`` replaces ``chunks`` once it is complete. ``opened`` is its entry
    without a length."""

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


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A part of a segment, or with ``part`` None the segment complete: where a playlist has got to."""

    msn: int
    part: int | None = None


class WindowTrack:
    """Fed the track's messages; ``changed`` is set, and made anew, by each that moves its end."""

    def __init__(self) -> None:
        self.inits: dict[int, bytes] = {}
        self.entries: deque[SegmentEntry] = deque()
        self.segments: dict[int, WindowSegment] = {}
        self.parts: dict[int, tuple[PartEntry, ...]] = {}
        self.changed = asyncio.Event()

    def add_part(self, part: Part) -> None:
        held = self.segments.setdefault(part.msn, WindowSegment(part.opened))
        held.parts.append(PartEntry(part.duration, len(part.data), part.independent))
        held.chunks.append(part.data)
        self.wake()

    def add_segment(self, segment: Segment, timescale: int, playlist_window_ms: int) -> None:
        entry = segment.entry
        self.entries.append(entry)
        held = self.segments.get(entry.msn)
        if held is not None:
            held.data, held.chunks = segment.data, []
            self.parts[entry.msn] = tuple(held.parts)
        window = playlist_window_ms * timescale // 1000
        while len(self.entries) > 1 and entry.start + entry.duration - self.entries[1].start >= window:
            gone = self.entries.popleft()
            self.segments.pop(gone.msn, None)
            self.parts.pop(gone.msn, None)
        self.trim()
        self.wake()

    def trim(self) -> None:
        """Let durable media go, but for the newest."""
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
    def open_segment(self) -> WindowSegment | None:
        """The one that is being made, if any of it is there."""
        newest = self.segments.get(max(self.segments, default=-1))
        return newest if newest is not None and newest.data is None else None

    @property
    def end(self) -> Position | None:
        """The newest part there is, or the newest segment where none follows it."""
        opened = self.open_segment
        if opened is not None:
            return Position(opened.opened.msn, len(opened.parts) - 1)
        return None if self.last_msn is None else Position(self.last_msn)

    def has(self, position: Position) -> bool:
        """Whether the playlist has got to ``position``."""
        if self.last_msn is not None and position.msn <= self.last_msn:
            return True
        opened = self.open_segment
        if position.part is None or opened is None:
            return False
        return position.msn == opened.opened.msn and position.part < len(opened.parts)

    def normalize(self, position: Position) -> Position:
        """A part beyond the last one of a complete segment is the first of the next that has any (6.2.5.2). Of a
        segment that has left the window nothing is known, and its parts are nobody else's."""
        if position.part is None or not self.entries or position.msn < self.entries[0].msn:
            return position
        last = self.entries[-1].msn
        while position.msn <= last and (position.part or 0) >= len(self.parts.get(position.msn, ())):
            position = Position(position.msn + 1, 0)
        return position

    def recalls(self, position: Position) -> bool:
        """Whether the playlist as it was at ``position`` can still be told: it has got there, and the newest
        segment that was complete by then is in the window."""
        newest = position.msn if position.part is None else position.msn - 1
        return self.has(position) and bool(self.entries) and newest >= self.entries[0].msn

    def opened(self, msn: int) -> tuple[SegmentEntry, Sequence[PartEntry]] | None:
        """A segment's entry and its parts as far as they are made, also when its media has left memory."""
        held = self.segments.get(msn)
        if held is not None:
            return held.opened, held.parts
        entry = next((entry for entry in reversed(self.entries) if entry.msn == msn), None)
        return (entry, self.parts.get(msn, ())) if entry is not None else None
