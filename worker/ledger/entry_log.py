"""All entries of a broadcast in little memory: all but the newest are packed, and unpacked on demand.

A day of two-second segments is 43 200 entries per track. Entries older than a minute are read only once: when
the broadcast ends, or when they leave the DVR window.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import overload

from packager.facts import Grid, Pace, Run, SegmentEntry

# Entries packed at once. At least as many of the newest stay unpacked, because uploads still change them.
KEPT = 64
# Free bytes at the front are released when they reach this number and half of the buffer.
SPARE = 64 * 1024

# msn, start, duration, size, wall_ms; a run's and a pace's msn and start_ms, the pace's duration; a grid; init,
# discontinuities, the pace's breaks; flags.
_RECORD = struct.Struct("=13q3IB")
RECORD_SIZE = _RECORD.size
_DISCONTINUITY, _GAP, _INDEPENDENT, _RUN, _PACE, _GRID = 1, 2, 4, 8, 16, 32


class EntryLog(Sequence[SegmentEntry]):
    """A list that grows at its end and shrinks from its front. The newest ``listed`` entries stay unpacked, because
    live playlists read them again and again. ``packed`` are the records of an earlier log's :meth:`pack`."""

    def __init__(self, listed: int = 0, packed: bytes = b"") -> None:
        self._kept = max(KEPT, listed)
        # What changed since the last call of `take_changes`; None before the first.
        self._changes: list[SegmentEntry] | None = None
        newest = max(0, len(packed) - self._kept * RECORD_SIZE)
        self._packed = bytearray(packed[:newest])
        self._dropped = 0
        self._newest = list(_unpack(memoryview(packed)[newest:]))

    def __len__(self) -> int:
        return self._packed_count + len(self._newest)

    @overload
    def __getitem__(self, index: int) -> SegmentEntry: ...

    @overload
    def __getitem__(self, index: slice) -> list[SegmentEntry]: ...

    def __getitem__(self, index: int | slice) -> SegmentEntry | list[SegmentEntry]:
        if isinstance(index, slice):
            first, end, step = index.indices(len(self))
            return self._between(first, end)[::step] if step > 0 else [self[at] for at in range(first, end, step)]
        index = self._index(index)
        if index < self._packed_count:
            return self._between(index, index + 1)[0]
        return self._newest[index - self._packed_count]

    def __setitem__(self, index: int, entry: SegmentEntry) -> None:
        index = self._index(index)
        if self._changes is not None:
            self._changes.append(entry)
        if index < self._packed_count:
            start = self._dropped + index * _RECORD.size
            self._packed[start : start + _RECORD.size] = _pack(entry)
        else:
            self._newest[index - self._packed_count] = entry

    def __iter__(self) -> Iterator[SegmentEntry]:
        return iter(self._between(0, len(self)))

    def append(self, entry: SegmentEntry) -> None:
        self._newest.append(entry)
        if self._changes is not None:
            self._changes.append(entry)
        if len(self._newest) >= self._kept + KEPT:
            self._packed += b"".join(map(_pack, self._newest[:KEPT]))
            del self._newest[:KEPT]

    def pack(self) -> bytes:
        """All entries as records of :data:`RECORD_SIZE` bytes."""
        with memoryview(self._packed) as packed:
            return b"".join((packed[self._dropped :], *map(_pack, self._newest)))

    def take_changes(self) -> bytes:
        """The entries that were added or replaced since the last call, as :meth:`pack` returns them; at the first
        call, all entries."""
        changes, self._changes = self._changes, []
        return self.pack() if changes is None else b"".join(map(_pack, changes))

    def drop(self, count: int) -> list[SegmentEntry]:
        """Remove and return the first ``count`` entries."""
        gone = self[:count]
        packed = min(len(gone), self._packed_count)
        del self._newest[: len(gone) - packed]
        self._dropped += packed * _RECORD.size
        if self._dropped >= max(SPARE, len(self._packed) // 2) or self._dropped == len(self._packed):
            del self._packed[: self._dropped]
            self._dropped = 0
        return gone

    def _between(self, first: int, end: int) -> list[SegmentEntry]:
        old = self._packed_count
        start, stop = (self._dropped + min(index, old) * _RECORD.size for index in (first, max(first, end)))
        with memoryview(self._packed) as packed, packed[start:stop] as records:
            unpacked = list(_unpack(records))
        return unpacked + self._newest[max(0, first - old) : max(0, end - old)]

    @property
    def _packed_count(self) -> int:
        """The number of packed entries."""
        return (len(self._packed) - self._dropped) // _RECORD.size

    def _index(self, index: int) -> int:
        """``index`` counted from the first entry. Raises IndexError."""
        from_first = index + len(self) if index < 0 else index
        if not 0 <= from_first < len(self):
            raise IndexError(f"no entry {index}")
        return from_first


def _pack(entry: SegmentEntry) -> bytes:
    run, pace, grid = entry.run or Run(0, 0), entry.pace or Pace(0, 0, 0), entry.grid or Grid(0, 0, 0)
    flags = entry.discontinuity * _DISCONTINUITY | entry.gap * _GAP | entry.independent * _INDEPENDENT
    flags |= (entry.run is not None) * _RUN | (entry.pace is not None) * _PACE | (entry.grid is not None) * _GRID
    return _RECORD.pack(
        entry.msn,
        entry.start,
        entry.duration,
        entry.size,
        entry.wall_ms,
        run.msn,
        run.start_ms,
        pace.msn,
        pace.start_ms,
        pace.duration,
        grid.msn,
        grid.start,
        grid.duration,
        entry.init,
        entry.discontinuities,
        pace.breaks,
        flags,
    )


def _unpack(records: memoryview) -> Iterator[SegmentEntry]:
    run, pace, grid = Run(0, 0), Pace(0, 0, 0), Grid(0, 0, 0)
    for fields in _RECORD.iter_unpack(records):
        msn, start, duration, size, wall_ms, run_msn, run_ms, pace_msn, pace_ms, step, *rest = fields
        grid_msn, grid_start, spacing, init, discontinuities, breaks, flags = rest
        # Most entries share the run, the pace and the grid of the entry before.
        if run.msn != run_msn or run.start_ms != run_ms:
            run = Run(run_msn, run_ms)
        if (pace.msn, pace.start_ms, pace.duration, pace.breaks) != (pace_msn, pace_ms, step, breaks):
            pace = Pace(pace_msn, pace_ms, step, breaks)
        if grid.msn != grid_msn or grid.start != grid_start or grid.duration != spacing:
            grid = Grid(grid_msn, grid_start, spacing)
        yield SegmentEntry(
            msn,
            start,
            duration,
            size,
            init,
            bool(flags & _DISCONTINUITY),
            bool(flags & _GAP),
            wall_ms,
            bool(flags & _INDEPENDENT),
            discontinuities,
            run if flags & _RUN else None,
            pace if flags & _PACE else None,
            grid if flags & _GRID else None,
        )


def packed_records(packed: bytes) -> Iterator[tuple[int, bytes]]:
    """The MSN and the record of each packed entry."""
    for (msn, *_), start in zip(_RECORD.iter_unpack(packed), range(0, len(packed), RECORD_SIZE), strict=True):
        yield msn, packed[start : start + RECORD_SIZE]
