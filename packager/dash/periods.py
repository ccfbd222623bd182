"""Which Periods a broadcast's segments fall into.

Inside a Period every track's segments follow each other unbroken, so that ``$Number$`` is the MSN and one init
serves them all. A discontinuity, a new init, and the beginning and the end of a gap on any track each start a
Period; during a gap the track is not in it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from packager.facts import Run, SegmentEntry, TrackFacts, breaks

MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Stretch:
    """One Period's segments by track, gaps left out. ``run`` names the Period and its start."""

    run: Run
    entries: dict[str, list[SegmentEntry]] = field(default_factory=dict)


def stretches(
    tracks: Sequence[TrackFacts], entries_by_track: Mapping[str, Sequence[SegmentEntry]]
) -> list[Stretch]:
    """The Periods in order, those without any media left out. Where tracks break at the same MSN, the first of
    ``tracks`` that does says when."""
    runs: dict[int, Run] = {}
    for track in tracks:
        for run in _runs(track, entries_by_track.get(track.track, ())):
            runs.setdefault(run.msn, run)
    found = [Stretch(runs[msn]) for msn in sorted(runs)]
    starts = [stretch.run.msn for stretch in found]
    for track in tracks:
        for entry in entries_by_track.get(track.track, ()):
            if not entry.gap:
                stretch = found[bisect_right(starts, entry.msn) - 1]
                stretch.entries.setdefault(track.track, []).append(entry)
    return [stretch for stretch in found if stretch.entries]


def _runs(track: TrackFacts, entries: Iterable[SegmentEntry]) -> Iterable[Run]:
    """Where the track breaks. The first entry's run began before the window, unless it says otherwise."""
    previous: SegmentEntry | None = None
    for entry in entries:
        if previous is None:
            yield entry.run or Run(0, 0)
        elif breaks(previous, entry):
            own = entry.run
            start_ms = entry.start * MILLISECONDS // track.config_of(entry.init).timescale
            yield own if own is not None and own.msn == entry.msn else Run(entry.msn, start_ms)
        previous = entry
