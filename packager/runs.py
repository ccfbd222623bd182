"""Assigns each segment to a run and a pace (:class:`packager.facts.Run`, :class:`packager.facts.Pace`)."""

from dataclasses import replace

from packager.facts import Pace, Run, SegmentEntry

STEADY = 4
"""The number of consecutive segments of equal duration that establish a pace."""


def assign_run(entry: SegmentEntry, previous: SegmentEntry | None, *, start_ms: int) -> SegmentEntry:
    """``entry`` with its run and pace.

    It continues those of ``previous``, the segment before it on its track. If it cannot (see :func:`starts_run`),
    or if it is the first, it starts a new run at ``start_ms``.
    """
    if previous is None or previous.run is None or starts_run(previous, entry):
        first = Pace(entry.msn, start_ms, entry.duration)
        return replace(entry, run=Run(entry.msn, start_ms), pace=first, equal_durations=1)
    equal = previous.equal_durations + 1 if entry.duration == previous.duration else 1
    changed = _changed_pace(previous, entry.duration, equal)
    pace = previous.pace if changed is None else Pace(entry.msn, start_ms, changed)
    return replace(entry, run=previous.run, pace=pace, equal_durations=equal)


def _changed_pace(previous: SegmentEntry, duration: int, equal: int) -> int | None:
    """The duration of the pace that starts after ``previous``, or None if the current pace continues.

    One segment of a different duration restarts an established pace at the same duration. If more differ, the
    duration is 0 until :data:`STEADY` consecutive segments are equal.
    """
    pace = previous.pace
    if pace is None:
        return None
    if not pace.duration:
        return duration if equal >= STEADY else None
    if previous.duration == pace.duration:
        return None
    return pace.duration if duration == pace.duration and previous.msn - pace.msn >= STEADY else 0


def starts_run(previous: SegmentEntry, entry: SegmentEntry) -> bool:
    """Whether ``entry`` cannot share one Representation's timeline with ``previous``, the segment before it."""
    return (
        entry.discontinuity
        or entry.gap != previous.gap
        or entry.init != previous.init
        or entry.msn != previous.msn + 1
        or entry.start != previous.start + previous.duration
    )
