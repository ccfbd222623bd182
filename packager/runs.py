"""Assigns each segment to a run, a pace and a grid (:class:`packager.facts.Run`, :class:`packager.facts.Pace`)."""

from dataclasses import replace

from packager.facts import Grid, Pace, Run, SegmentEntry

STEADY = 4
"""The number of consecutive segments on one grid that establish a pace. Each break doubles it."""
MOST_BREAKS = 5
"""From this break on, the number is not doubled again."""
TOLERANCE = 8
"""A segment is on a grid if it starts within a second divided by this number of its place."""


def assign_run(
    entry: SegmentEntry, previous: SegmentEntry | None, *, start_ms: int, timescale: int
) -> SegmentEntry:
    """``entry`` with its run, pace and grid.

    It continues those of ``previous``, the segment before it on its track. If it cannot (see :func:`starts_run`),
    or if it is the first, it starts a new run at ``start_ms``. ``timescale`` is the track's.
    """
    grid = Grid(entry.msn, entry.start, entry.duration)
    if previous is None or previous.run is None or previous.pace is None or previous.grid is None:
        return replace(
            entry, run=Run(entry.msn, start_ms), pace=Pace(entry.msn, start_ms, entry.duration), grid=grid
        )
    pace, before = previous.pace, previous.grid
    if starts_run(previous, entry):
        # A source is expected to be as regular as it was.
        pace = Pace(entry.msn, start_ms, entry.duration if pace.duration else 0, pace.breaks)
        return replace(entry, run=Run(entry.msn, start_ms), pace=pace, grid=grid)
    count = entry.msn - before.msn
    if abs(entry.start - before.start - count * before.duration) * TOLERANCE <= timescale:
        grid = before
        if not pace.duration:
            grid = replace(before, duration=(entry.start - before.start) // count)
            if count >= _steady(pace):
                pace = Pace(entry.msn, start_ms, grid.duration, pace.breaks)
                grid = Grid(entry.msn, entry.start, grid.duration)
    elif pace.duration:
        lasted = entry.msn - pace.msn >= _steady(pace)
        pace = Pace(entry.msn, start_ms, pace.duration if lasted else 0, min(pace.breaks + 1, MOST_BREAKS))
        if lasted:
            grid = replace(grid, duration=pace.duration)
    return replace(entry, run=previous.run, pace=pace, grid=grid)


def _steady(pace: Pace) -> int:
    return STEADY << pace.breaks


def starts_run(previous: SegmentEntry, entry: SegmentEntry) -> bool:
    """Whether ``entry`` cannot share one Representation's timeline with ``previous``, the segment before it.

    A SegmentTimeline could describe a hole, but dash.js 5 requests nothing after it.
    """
    return (
        entry.discontinuity
        or entry.gap != previous.gap
        or entry.init != previous.init
        or entry.msn != previous.msn + 1
        or (not entry.gap and entry.start != previous.start + previous.duration)
    )
