"""Builds the :class:`SegmentEntry` of a segment from its cut and its times."""

from dataclasses import replace

from media.timescale import MILLISECONDS, rescale
from media.units import VIDEO_TIMESCALE
from packager.cmaf.cut import Cut
from packager.facts import SegmentEntry
from packager.runs import assign_run


def segment_entry(
    cut: Cut, start: int, end: int, *, timescale: int, init: int, zero_ms: int, size: int = 0
) -> SegmentEntry:
    """The entry of the segment of ``cut`` from ``start`` to ``end`` (ticks of ``timescale``, broadcast time).

    ``zero_ms`` is the Unix time of broadcast time zero, in milliseconds; ``size`` is bytes.
    """
    return SegmentEntry(
        msn=cut.msn,
        start=start,
        duration=end - start,
        size=size,
        init=init,
        discontinuity=cut.discontinuity,
        gap=False,
        wall_ms=zero_ms + rescale(start, timescale, MILLISECONDS),
        independent=cut.independent,
        discontinuities=cut.discontinuities,
    )


def gap_entry(cut: Cut, end_pts: int, *, timescale: int, init: int, zero_ms: int) -> SegmentEntry:
    """The entry of a segment without media, from ``cut`` to ``end_pts`` (90 kHz ticks)."""
    start = rescale(cut.pts, VIDEO_TIMESCALE, timescale)
    end = rescale(end_pts, VIDEO_TIMESCALE, timescale)
    entry = segment_entry(cut, start, end, timescale=timescale, init=init, zero_ms=zero_ms)
    return replace(entry, gap=True)


def assign_run_at_cut(
    entry: SegmentEntry, previous: SegmentEntry | None, cut: Cut, *, timescale: int
) -> SegmentEntry:
    """``entry``, which begins at ``cut``, with its run, pace and grid (see :func:`packager.runs.assign_run`)."""
    start_ms = rescale(cut.pts, VIDEO_TIMESCALE, MILLISECONDS)
    return assign_run(entry, previous, start_ms=start_ms, timescale=timescale)
