"""Facts and entries of example broadcasts, for the tests of playlists and manifests."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction

from media.configs import AudioConfig, Colour, VideoConfig
from media.timescale import rescale
from media.units import Codec, Kind
from packager.facts import BroadcastFacts, SegmentEntry, TrackFacts
from packager.runs import assign_run

ZERO_MS = 1_795_257_665_123  # 2026-11-21T10:41:05.123Z
BT709 = Colour(primaries=1, transfer=1, matrix=1, full_range=False)

V720 = TrackFacts(
    track="vsource",
    config=VideoConfig(Codec.H264, b"", "avc1.64001f", 1280, 720, frame_rate=Fraction(30), colour=BT709),
    kind=Kind.VIDEO,
    frame_rate=Fraction(30_000, 1001),
    peak_bps=3_400_000,
    average_bps=2_500_000,
)
V480 = TrackFacts(
    track="v480p",
    config=VideoConfig(Codec.H264, b"", "avc1.4d401f", 854, 480, frame_rate=Fraction(30), colour=BT709),
    kind=Kind.VIDEO,
    frame_rate=Fraction(30_000, 1001),
    peak_bps=1_600_000,
    average_bps=1_400_000,
)
STEREO = AudioConfig(Codec.AAC, b"", "mp4a.40.2", 48_000, 2, 1024)
A128 = TrackFacts(
    track="a128k",
    config=STEREO,
    kind=Kind.AUDIO,
    frame_rate=None,
    peak_bps=131_000,
    average_bps=128_000,
    default=True,
    name="Sound",
)
A64 = replace(A128, track="a64k", peak_bps=66_000, average_bps=64_000, default=False)

FACTS = BroadcastFacts(
    tracks=(V720, V480, A128),
    availability_start_ms=ZERO_MS,
    ended=False,
    segment_target_ms=2000,
    playlist_window_ms=60_000,
    utc_timing_url="https://headwater.example/api/v1/time",
)

# 60 frames at 29.97 fps.
SEGMENT_TICKS = 180_180


def entries(
    track: TrackFacts,
    count: int,
    *,
    discontinuities: Collection[int] = (),
    gaps: Collection[int] = (),
    inits: Collection[int] = (),
    away_ticks: int = 0,
    with_runs: bool = True,
) -> list[SegmentEntry]:
    """Entries of segments 0 to ``count`` - 1 with two seconds each; audio segments have whole frames.

    A new init segment starts at each of ``inits``. Before each discontinuity, ``away_ticks`` (90 kHz) have no
    media. Without ``with_runs``, the entries have no run and no pace.
    """
    made: list[SegmentEntry] = []
    previous = None
    for msn in range(count):
        cut = msn * SEGMENT_TICKS + away_ticks * sum(at <= msn for at in discontinuities)
        start, end = _aligned(track, cut), _aligned(track, cut + SEGMENT_TICKS)
        entry = SegmentEntry(
            msn=msn,
            start=start,
            duration=end - start,
            size=0 if msn in gaps else track.average_bps // 4,
            init=sum(at <= msn for at in inits),
            discontinuities=sum(at < msn for at in discontinuities),
            discontinuity=msn in discontinuities,
            gap=msn in gaps,
            wall_ms=ZERO_MS + rescale(start, track.config.timescale, 1000),
        )
        if with_runs:
            entry = assign_run(entry, previous, start_ms=cut // 90, timescale=track.config.timescale)
        made.append(entry)
        previous = entry
    return made


def broadcast(
    tracks: Sequence[TrackFacts],
    count: int,
    *,
    discontinuities: Collection[int] = (),
    gaps: Collection[int] = (),
    inits: Collection[int] = (),
    away_ticks: int = 0,
    with_runs: bool = True,
) -> dict[str, list[SegmentEntry]]:
    """The :func:`entries` of each track, by track name."""
    return {
        track.track: entries(
            track,
            count,
            discontinuities=discontinuities,
            gaps=gaps,
            inits=inits,
            away_ticks=away_ticks,
            with_runs=with_runs,
        )
        for track in tracks
    }


def _aligned(track: TrackFacts, ticks: int) -> int:
    """``ticks`` (90 kHz) in the track's timescale, rounded up to a whole frame for audio."""
    if not isinstance(track.config, AudioConfig):
        return ticks
    samples = rescale(ticks, 90_000, track.config.sample_rate)
    return -(-samples // track.config.frame_samples) * track.config.frame_samples
