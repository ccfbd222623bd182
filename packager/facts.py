"""Frozen values that describe a broadcast: the input of every playlist and manifest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from media.configs import TrackConfig
from media.units import Kind


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive segments of a track, without a discontinuity, a gap, a hole or a new init segment between them.

    ``msn`` is the number of the first segment and ``start_ms`` the time of its cut, in milliseconds since broadcast
    time zero. A DASH Period keeps both while it is in the manifest, even after its first segment has left.
    """

    msn: int
    start_ms: int


@dataclass(frozen=True, slots=True)
class Pace:
    """Segments of a run whose times follow from their numbers: one every ``duration`` ticks, or 0 if they do not.

    Only the newest segment's end may deviate, and the pace then ends with it. ``msn`` and ``start_ms`` are those of
    the first segment, as in :class:`Run`. ``breaks`` counts the paces of the track that an irregular segment ended.
    """

    msn: int
    start_ms: int
    duration: int
    breaks: int = 0


@dataclass(frozen=True, slots=True)
class Grid:
    """Segment ``msn + n`` starts about ``n * duration`` after ``start``, in ticks of the track's timescale."""

    msn: int
    start: int
    duration: int


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """One segment of one track, as listed in playlists and manifests.

    ``start`` and ``duration`` are ticks of the track's timescale, ``start`` since broadcast time zero; ``size`` is
    bytes; ``init`` is the number of the init segment; ``wall_ms`` is the Unix time of ``start`` in milliseconds. A
    ``gap`` has no media. ``discontinuities`` counts the broadcast's discontinuities, on any track, before this
    segment. ``grid`` is the one that the newest segments, up to this one, are on.
    :func:`packager.runs.assign_run` sets ``run``, ``pace`` and ``grid``.
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
    grid: Grid | None = None


@dataclass(frozen=True, slots=True)
class TrackFacts:
    """One track.

    ``config`` belongs to the newest init segment; ``configs`` maps the numbers of earlier init segments to their
    configurations, as long as an entry refers to them. ``peak_bps`` is the largest bit rate of a segment so far.
    ``default`` marks the audio track that plays unless the viewer chooses another. ``name`` is shown to viewers.
    ``retired``: the current source has no such rendition, so the track has only gaps. ``ended``: the track is
    complete, although the broadcast may wait for the end of others.
    """

    track: str
    config: TrackConfig
    kind: Kind
    frame_rate: Fraction | None
    peak_bps: int
    average_bps: int
    default: bool = False
    name: str = ""
    language: str | None = None
    retired: bool = False
    ended: bool = False
    configs: Mapping[int, TrackConfig] = field(default_factory=dict)

    def config_of(self, init: int) -> TrackConfig:
        """The configuration of init segment ``init``."""
        return self.configs.get(init, self.config)


@dataclass(frozen=True, slots=True)
class LowLatency:
    """``part_target_us`` is the longest duration of a part on any track (PART-TARGET), in microseconds."""

    part_target_us: int


@dataclass(frozen=True, slots=True)
class BroadcastFacts:
    """A broadcast, as its playlists and manifests describe it.

    ``availability_start_ms`` is the Unix time of broadcast time zero. ``segment_target_ms`` is the intended segment
    duration, or the longest actual one if that is longer; it is the same for all tracks. If ``low_latency`` is
    None, playlists and manifests contain no low-latency elements. ``utc_timing_url`` is the address of the
    broadcast's clock, which follows its media: the server's plus ``clock_offset_ms``.
    """

    tracks: tuple[TrackFacts, ...]
    availability_start_ms: int
    ended: bool
    segment_target_ms: int
    playlist_window_ms: int
    utc_timing_url: str = ""
    clock_offset_ms: int = 0
    independent_segments: bool = True
    low_latency: LowLatency | None = None
