"""The facts that every playlist and manifest of a broadcast is made from, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from media.configs import TrackConfig
from media.units import Kind

STEADY = 4


@dataclass(frozen=True, slots=True)
class Run:
    """Segments of a track that follow each other with no discontinuity, gap or new init between them.

    ``msn`` is the first one's number and ``start_ms`` its cut's time since the broadcast's zero. A DASH Period
    keeps both for as long as it is in the manifest, also when the segment they came from has left it.
    """

    msn: int
    start_ms: int


@dataclass(frozen=True, slots=True)
class Pace:
    """Segments of a run that last equally long: each but the newest, which may be of another length and then ends
    it, has ``duration`` ticks. That is 0 where nothing of the kind can be said. ``msn`` and ``start_ms`` are of the
    first one, as a run's are."""

    msn: int
    start_ms: int
    duration: int


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """One segment of one track as playlists know it.

    ``start`` and ``duration`` are ticks of the track's timescale, ``start`` since the broadcast's zero; ``size``
    is bytes; ``wall_ms`` is the Unix time of ``start`` in milliseconds. A ``gap`` has no media.
    ``discontinuities`` counts those of the broadcast before this segment, on whichever track. ``run``, ``pace`` and
    ``alike``, how many segments of the run up to this one have lasted as long as it, are set by :func:`follow`.
    """

    msn: int
    start: int
    duration: int
    size: int
    init: int
    discontinuity: bool
    gap: bool
    wall_ms: int
    independent: bool = True
    discontinuities: int = 0
    run: Run | None = None
    pace: Pace | None = None
    alike: int = 1


@dataclass(frozen=True, slots=True)
class TrackFacts:
    """One track. ``config`` is its newest init's; ``configs`` has those of the inits before, by number, as far as
    entries still name them. ``peak_bps`` is the largest segment bit rate so far; ``default`` marks the audio that
    plays unless another is chosen; ``name`` is for people."""

    track: str
    config: TrackConfig
    kind: Kind
    frame_rate: Fraction | None
    peak_bps: int
    average_bps: int
    default: bool = False
    name: str = ""
    language: str | None = None
    configs: Mapping[int, TrackConfig] = field(default_factory=dict)

    def config_of(self, init: int) -> TrackConfig:
        return self.configs.get(init, self.config)


@dataclass(frozen=True, slots=True)
class LowLatency:
    """``part_target_us`` is the longest that a part of any track lasts (PART-TARGET), in microseconds."""

    part_target_us: int


@dataclass(frozen=True, slots=True)
class BroadcastFacts:
    """``availability_start_ms`` is the Unix time of the broadcast's zero; ``segment_target_ms`` is the longest
    that a segment has been or is meant to be, and is the same for all tracks. ``low_latency`` None: playlists and
    manifests carry nothing of it."""

    tracks: tuple[TrackFacts, ...]
    availability_start_ms: int
    ended: bool
    segment_target_ms: int
    playlist_window_ms: int
    utc_timing_url: str = ""
    independent_segments: bool = True
    low_latency: LowLatency | None = None


def follow(entry: SegmentEntry, previous: SegmentEntry | None, *, start_ms: int) -> SegmentEntry:
    """``entry`` with its run and pace: those of ``previous``, the segment before it on its track, or where it
    breaks with that (or is the first) new ones from ``start_ms``."""
    if previous is None or previous.run is None or breaks(previous, entry):
        first = Pace(entry.msn, start_ms, entry.duration)
        return replace(entry, run=Run(entry.msn, start_ms), pace=first, alike=1)
    alike = previous.alike + 1 if entry.duration == previous.duration else 1
    changed = _changed_pace(previous, entry.duration, alike)
    pace = previous.pace if changed is None else Pace(entry.msn, start_ms, changed)
    return replace(entry, run=previous.run, pace=pace, alike=alike)


def _changed_pace(previous: SegmentEntry, duration: int, alike: int) -> int | None:
    """The duration of the pace that begins after ``previous``; None where none does.

    A source that is out of step once goes on as before; one that does not keep in step for :data:`STEADY` segments
    has no pace until it does.
    """
    pace = previous.pace
    if pace is None:
        return None
    if not pace.duration:
        return duration if alike >= STEADY else None
    if previous.duration == pace.duration:
        return None
    return pace.duration if duration == pace.duration and previous.msn - pace.msn >= STEADY else 0


def breaks(previous: SegmentEntry, entry: SegmentEntry) -> bool:
    """Whether ``entry`` cannot stand in one Representation's timeline with the segment before it."""
    return (
        entry.discontinuity
        or entry.gap != previous.gap
        or entry.init != previous.init
        or entry.msn != previous.msn + 1
    )
