"""Divides a broadcast's segments into Periods.

Within a Period, each track's segments are consecutive and share one init segment, so ``$Number$`` is the MSN. A
discontinuity, a new init segment and the start and end of a gap, on any track, each start a Period. A track is
absent from a Period in which it has a gap. If a broadcast has audio and video, a time with only one of them gets no
Period: players skip the missing time, but fail on a Period without audio or without video.

With low latency, a new pace also starts a Period: shaka-player fails if a Period's segments have a @duration in one
MPD and a SegmentTimeline in the next.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from media.timescale import MILLISECONDS
from packager.facts import Pace, Run, SegmentEntry, TrackFacts
from packager.runs import starts_run

# The number of segments that a track may lag before the others continue without it.
MAX_LAG = 3
FIRST_RUN = Run(0, 0)


@dataclass(frozen=True, slots=True)
class PeriodSpan:
    """The segments of one Period, by track, without gaps.

    ``run`` gives the Period's id and start. ``segment_duration`` is seconds if all segments have the same duration
    and need no SegmentTimeline, else None.
    """

    run: Run
    entries: dict[str, list[SegmentEntry]] = field(default_factory=dict)
    segment_duration: Fraction | None = None


def period_spans(
    tracks: Sequence[TrackFacts],
    entries_by_track: Mapping[str, Sequence[SegmentEntry]],
    *,
    paced: bool = False,
) -> list[PeriodSpan]:
    """The Periods in order. If several tracks start a run at the same MSN, the first of ``tracks`` gives its time.

    If ``paced``, each pace of the first track starts a Period. It applies to all tracks, because all have the same
    cuts.
    """
    paces = _paces(tracks, entries_by_track) if paced else []
    runs = {pace.msn: Run(pace.msn, pace.start_ms) for pace in paces}
    for track in tracks:
        for run in _runs(track, entries_by_track.get(track.track, ())):
            runs.setdefault(run.msn, run)
    spans = [PeriodSpan(runs[msn], segment_duration=_segment_duration(msn, paces, tracks)) for msn in sorted(runs)]
    starts = [span.run.msn for span in spans]
    first_msn = _common_first_msn(entries_by_track.get(track.track, ()) for track in tracks)
    for track in tracks:
        for entry in entries_by_track.get(track.track, ()):
            if entry.msn >= first_msn and not entry.gap:
                span = spans[bisect_right(starts, entry.msn) - 1]
                span.entries.setdefault(track.track, []).append(entry)
    kind_of = {track.track: track.kind for track in tracks}
    kinds_by_span = [{kind_of[name] for name in span.entries} for span in spans]
    all_kinds = set().union(*kinds_by_span)
    return [span for span, kinds in zip(spans, kinds_by_span, strict=True) if kinds and kinds == all_kinds]


def complete_spans(
    spans: list[PeriodSpan], tracks: Sequence[TrackFacts], entries_by_track: Mapping[str, Sequence[SegmentEntry]]
) -> list[PeriodSpan]:
    """``spans``, without the last one if a track has not reached it yet.

    Tracks complete a segment at different moments, and players ignore a Representation that is added to a Period
    they already have. A track that stopped delays the others by :data:`MAX_LAG` segments at most.
    """
    if not spans:
        return spans
    newest = spans[-1]
    first = newest.run.msn
    by_track = (entries_by_track.get(track.track, ()) for track in tracks)
    late = any(not entries or entries[-1].msn < first for entries in by_track)
    if late and all(len(entries) < MAX_LAG for entries in newest.entries.values()):
        return spans[:-1]
    return spans


def _common_first_msn(windows: Iterable[Sequence[SegmentEntry]]) -> int:
    """The first MSN that is in every track's window; a track that started later is ignored.

    Windows are limited by time, and audio segments do not end exactly with the video's. Without this limit, the
    oldest Period could lose its audio before its video.
    """
    firsts = (entries[0] for entries in windows if entries)
    truncated = (first.msn for first in firsts if first.discontinuity or first.msn > (first.run or FIRST_RUN).msn)
    return max(truncated, default=0)


def _paces(tracks: Sequence[TrackFacts], entries_by_track: Mapping[str, Sequence[SegmentEntry]]) -> list[Pace]:
    """The paces of the first track, in order."""
    entries = entries_by_track.get(tracks[0].track, ()) if tracks else ()
    return list(dict.fromkeys(entry.pace for entry in entries if entry.pace is not None))


def _segment_duration(msn: int, paces: Sequence[Pace], tracks: Sequence[TrackFacts]) -> Fraction | None:
    """The segment duration at ``msn`` in seconds, or None if it varies."""
    index = bisect_right(paces, msn, key=lambda pace: pace.msn)
    if not index or not paces[index - 1].duration:
        return None
    return Fraction(paces[index - 1].duration, tracks[0].config.timescale)


def _runs(track: TrackFacts, entries: Iterable[SegmentEntry]) -> Iterable[Run]:
    """The runs of ``entries``. An entry without a run belongs to the broadcast's first run, or starts its own."""
    previous: SegmentEntry | None = None
    for entry in entries:
        if previous is None:
            yield entry.run or FIRST_RUN
        elif starts_run(previous, entry):
            run = entry.run
            start_ms = entry.start * MILLISECONDS // track.config_of(entry.init).timescale
            yield run if run is not None and run.msn == entry.msn else Run(entry.msn, start_ms)
        previous = entry
