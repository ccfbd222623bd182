"""Which Periods a broadcast's segments fall into.

Inside a Period every track's segments follow each other unbroken, so that ``$Number$`` is the MSN and one init
serves them all. A discontinuity, a new init, and the beginning and the end of a gap on any track each start a
Period; during a gap the track is not in it. While there is only sound, or only picture, of a broadcast that has
both, there is no Period: players jump over a hole, but do not survive a Period without the one or the other.

With low latency a new pace starts a Period too: shaka-player does not survive one whose segments are counted in one
MPD and listed in the next.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from media.timescale import MILLISECONDS
from packager.facts import Pace, Run, SegmentEntry, TrackFacts
from packager.runs import starts_run

LONGEST_LAG = 3
BEGINNING = Run(0, 0)


@dataclass(frozen=True, slots=True)
class PeriodSpan:
    """One Period's segments by track, gaps left out. ``run`` names the Period and its start; ``step`` is how many
    seconds each of its segments lasts, where they need not be listed."""

    run: Run
    entries: dict[str, list[SegmentEntry]] = field(default_factory=dict)
    step: Fraction | None = None


def period_spans(
    tracks: Sequence[TrackFacts],
    entries_by_track: Mapping[str, Sequence[SegmentEntry]],
    *,
    paced: bool = False,
) -> list[PeriodSpan]:
    """The Periods in order. Where tracks break at the same MSN, the first of ``tracks`` that does says when.

    All are cut alike, so where they are ``paced`` the first one's pace holds for every track.
    """
    paces = _paces(tracks, entries_by_track) if paced else []
    runs = {pace.msn: Run(pace.msn, pace.start_ms) for pace in paces}
    for track in tracks:
        for run in _runs(track, entries_by_track.get(track.track, ())):
            runs.setdefault(run.msn, run)
    found = [PeriodSpan(runs[msn], step=_step(msn, paces, tracks)) for msn in sorted(runs)]
    starts = [span.run.msn for span in found]
    begin = _common_begin(entries_by_track.get(track.track, ()) for track in tracks)
    for track in tracks:
        for entry in entries_by_track.get(track.track, ()):
            if entry.msn >= begin and not entry.gap:
                span = found[bisect_right(starts, entry.msn) - 1]
                span.entries.setdefault(track.track, []).append(entry)
    kind_of = {track.track: track.kind for track in tracks}
    carried = [{kind_of[name] for name in span.entries} for span in found]
    whole = set().union(*carried)
    return [span for span, kinds in zip(found, carried, strict=True) if kinds and kinds == whole]


def complete_spans(
    found: list[PeriodSpan], tracks: Sequence[TrackFacts], entries_by_track: Mapping[str, Sequence[SegmentEntry]]
) -> list[PeriodSpan]:
    """``found`` without a last one that some track has not reached yet.

    Tracks finish a segment one after the other, and players do not take up a rendition that joins a Period they
    already know. A track that fell silent holds the others up for :data:`LONGEST_LAG` segments at most.
    """
    if not found:
        return found
    newest = found[-1]
    first = newest.run.msn
    by_track = (entries_by_track.get(track.track, ()) for track in tracks)
    late = any(not entries or entries[-1].msn < first for entries in by_track)
    if late and all(len(entries) < LONGEST_LAG for entries in newest.entries.values()):
        return found[:-1]
    return found


def _common_begin(windows: Iterable[Sequence[SegmentEntry]]) -> int:
    """The first MSN that every track's window still has; a track that began later does not count.

    Windows are cut by time, and audio segments end a little beside the video's: without this the oldest Period
    would now and then have lost its sound before its picture.
    """
    firsts = (entries[0] for entries in windows if entries)
    cut = (first.msn for first in firsts if first.discontinuity or first.msn > (first.run or BEGINNING).msn)
    return max(cut, default=0)


def _paces(tracks: Sequence[TrackFacts], entries_by_track: Mapping[str, Sequence[SegmentEntry]]) -> list[Pace]:
    """Those of the first track, in order."""
    entries = entries_by_track.get(tracks[0].track, ()) if tracks else ()
    return list(dict.fromkeys(entry.pace for entry in entries if entry.pace is not None))


def _step(msn: int, paces: Sequence[Pace], tracks: Sequence[TrackFacts]) -> Fraction | None:
    place = bisect_right(paces, msn, key=lambda pace: pace.msn)
    if not place or not paces[place - 1].duration:
        return None
    return Fraction(paces[place - 1].duration, tracks[0].config.timescale)


def _runs(track: TrackFacts, entries: Iterable[SegmentEntry]) -> Iterable[Run]:
    """Where the track breaks. The first entry's run began before the window, unless it says otherwise."""
    previous: SegmentEntry | None = None
    for entry in entries:
        if previous is None:
            yield entry.run or BEGINNING
        elif starts_run(previous, entry):
            own = entry.run
            start_ms = entry.start * MILLISECONDS // track.config_of(entry.init).timescale
            yield own if own is not None and own.msn == entry.msn else Run(entry.msn, start_ms)
        previous = entry
