"""Low-latency media playlists (draft-pantos-hls-rfc8216bis, 4.4.3.7 to 4.4.5.4 and 6.2.2 to 6.2.6)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from live.window_track import PartEntry, Position, WindowTrack
from media.names import MEDIA_PLAYLIST, init_name, part_name
from media.timescale import MICROSECONDS, rescale
from packager.facts import LowLatency, SegmentEntry, TrackFacts
from packager.hls.media import (
    MediaPlaylist,
    MediaSegment,
    OpenSegment,
    PartialSegment,
    PreloadHint,
    RenditionReport,
    ServerControl,
)

# In target durations: how far from the end parts are listed (4.4.4.9), and segments may be skipped (4.4.3.8).
PARTS_WITHIN = 3
SKIP_UNTIL = 6
# In part targets: the least distance to the live edge (4.4.3.8 asks for two, and recommends three).
PART_HOLD_BACK = 3
# Of the part target: what every part but a segment's last lasts at least (4.4.4.9).
SHORTEST_PERCENT = 85
# Segments of one encoder differ by less than this fraction of a second, which is shorter than a frame.
UNEVENNESS_PER_SECOND = 100


def low_latency_playlist(
    playlist: MediaPlaylist,
    track: TrackFacts,
    window: WindowTrack,
    position: Position,
    *,
    low_latency: LowLatency,
    segment_target_ms: int,
    others: Iterable[tuple[str, WindowTrack]],
) -> MediaPlaylist:
    """``playlist``, of the segments complete at ``position``, with what low latency adds up to there.

    The same position gives the same segments, parts and hint whenever it is asked for, so that an answer to a
    blocking request can be kept by caches. ``others`` are the renditions to report on, with their names.
    """
    if playlist.ended:
        return playlist
    target_us = playlist.target_duration * MICROSECONDS
    timescale = track.config.timescale
    opened = window.opened(position.msn) if position.part is not None else None
    parts = opened[1][: (position.part or 0) + 1] if opened is not None else ()
    partial = _partial(opened[0], parts, timescale) if opened is not None else None
    edge_us = sum(part.duration_us for part in partial.parts) if partial is not None else 0
    return replace(
        playlist,
        segments=_with_parts(playlist, window, timescale, PARTS_WITHIN * target_us - edge_us),
        server_control=ServerControl(
            can_block_reload=True,
            hold_back_us=3 * target_us,
            part_hold_back_us=PART_HOLD_BACK * low_latency.part_target_us,
            can_skip_until_us=SKIP_UNTIL * target_us,
        ),
        part_target_us=low_latency.part_target_us,
        partial=partial,
        preload_hint=PreloadHint(_next_part(window, position, parts, timescale, segment_target_ms)),
        rendition_reports=tuple(_reports(others)),
    )


def hls_parts(msn: int, parts: Sequence[PartEntry], timescale: int) -> tuple[PartialSegment, ...]:
    return tuple(
        PartialSegment(part_name(msn, index), rescale(part.duration, timescale, MICROSECONDS), part.independent)
        for index, part in enumerate(parts)
    )


def _with_parts(
    playlist: MediaPlaylist, window: WindowTrack, timescale: int, within_us: int
) -> tuple[MediaSegment, ...]:
    segments = list(playlist.segments)
    for place in range(len(segments) - 1, -1, -1):
        if within_us <= 0:
            break
        msn = playlist.media_sequence + place
        parts = window.parts.get(msn, ())
        if parts:
            segments[place] = replace(segments[place], parts=hls_parts(msn, parts, timescale))
        within_us -= segments[place].duration_us
    return tuple(segments)


def _partial(entry: SegmentEntry, parts: Sequence[PartEntry], timescale: int) -> OpenSegment:
    return OpenSegment(
        parts=hls_parts(entry.msn, parts, timescale),
        map_uri=init_name(entry.init),
        discontinuity=entry.discontinuity,
        program_date_time=entry.wall_ms,
    )


def _next_part(
    window: WindowTrack, position: Position, parts: Sequence[PartEntry], timescale: int, segment_target_ms: int
) -> str:
    """The name of the part that comes next. A segment is over that is as long as the one before it (the encoder's
    next frame will be a keyframe), or whose newest part is a short one (only a segment's last may be, 4.4.4.9).
    Where it is not, a request for the hint waits, and what it asks for comes."""
    if position.part is None:
        return part_name(position.msn + 1, 0)
    before = next((entry for entry in reversed(window.entries) if entry.msn == position.msn - 1), None)
    usual = before.duration if before is not None and not before.gap else segment_target_ms * timescale // 1000
    made = sum(part.duration for part in parts)
    longest = max((part.duration for part in parts), default=0)
    short = bool(parts) and 100 * parts[-1].duration < SHORTEST_PERCENT * longest
    if short or usual - made < timescale // UNEVENNESS_PER_SECOND:
        return part_name(position.msn + 1, 0)
    return part_name(position.msn, position.part + 1)


def _reports(others: Iterable[tuple[str, WindowTrack]]) -> Iterable[RenditionReport]:
    for name, other in others:
        end = other.end
        if end is None:
            continue
        part = end.part
        if part is None and other.parts.get(end.msn):
            part = len(other.parts[end.msn]) - 1
        yield RenditionReport(f"../{name}/{MEDIA_PLAYLIST}", end.msn, part)
