"""Run-length compression of a SegmentTimeline (ISO/IEC 23009-1, 5.3.9.6)."""

from collections.abc import Iterable

from packager.dash.model import SegmentRun


def run_lengths(segments: Iterable[tuple[int, int]]) -> tuple[SegmentRun, ...]:
    """The fewest S elements for the ordered ``(start, duration)`` pairs of ``segments``, in ticks.

    The first run has a ``t``, and so has each run that does not start at the end of the run before it.
    """
    runs: list[SegmentRun] = []
    t: int | None = None
    d = repeat = 0
    end: int | None = None
    for start, duration in segments:
        if start == end and duration == d:
            repeat += 1
        else:
            if end is not None:
                runs.append(SegmentRun(d, t, repeat))
            t = None if start == end else start
            d, repeat = duration, 0
        end = start + duration
    if end is not None:
        runs.append(SegmentRun(d, t, repeat))
    return tuple(runs)
