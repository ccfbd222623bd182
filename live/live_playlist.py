"""Low-latency media playlists (draft-pantos-hls-rfc8216bis, 4.4.3.7 to 4.4.5.4 and 6.2.2 to 6.2.6)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from live.window_snapshot import PartEntry
from live.window_track import Position, WindowTrack
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

# Distances from the end in target durations: parts are listed only within PARTS_WITHIN (4.4.4.9), and segments are
# skipped only before SKIP_UNTIL (4.4.3.8).
PARTS_WITHIN = 3
SKIP_UNTIL = 6
# In part targets: the least distance to the live edge (4.4.3.8 requires two and recommends three).
PART_HOLD_BACK = 3
# In percent: the least duration of every part except a segment's last, relative to the part target (4.4.4.9).
SHORTEST_PERCENT = 85
# The durations of one encoder's segments differ by less than a hundredth of a second, which is less than a frame.
UNEVENNESS_PER_SECOND = 100


def low_latency_playlist(
    playlist: MediaPlaylist,
    track: TrackFacts,
    window: WindowTrack,
    position: Position | None,
    *,
    low_latency: LowLatency,
    segment_target_ms: int,
    others: Iterable[WindowTrack],
) -> MediaPlaylist:
    """``playlist``, whose segments were complete at ``position``, with the low-latency tags. ``position`` None is
    the end of the track. ``others`` are the renditions to report on.

    The same position always gives the same playlist, so that caches can keep the answer to a blocking request.
    """
    reached = window.reached_at(position) if position is not None else None
    position = position or window.end
    assert position is not None
    target_us = playlist.target_duration * MICROSECONDS
    timescale = track.config.timescale
    opened = window.entry_of(position.msn) if position.part is not None else None
    parts = window.parts_of(position.msn)[: (position.part or 0) + 1] if opened is not None else ()
    partial = _partial(opened, parts, timescale) if opened is not None else None
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
        rendition_reports=tuple(_reports(others, reached)),
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
        parts = window.parts_of(msn)
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
    """The name of the next part. A segment is expected to end when it is as long as the one before it (the
    encoder's next frame is a keyframe then), or after a short part (only a segment's last may be short, 4.4.4.9).
    If it continues instead, a request for the hinted part waits and gets the actual next part."""
    if position.part is None:
        return part_name(position.msn + 1, 0)
    before = window.entry_of(position.msn - 1)
    expected = before.duration if before is not None and not before.gap else segment_target_ms * timescale // 1000
    elapsed = sum(part.duration for part in parts)
    longest = max((part.duration for part in parts), default=0)
    short = bool(parts) and 100 * parts[-1].duration < SHORTEST_PERCENT * longest
    if short or expected - elapsed < timescale // UNEVENNESS_PER_SECOND:
        return part_name(position.msn + 1, 0)
    return part_name(position.msn, position.part + 1)


def _reports(others: Iterable[WindowTrack], before: int | None) -> Iterable[RenditionReport]:
    for other in others:
        newest = other.newest(before)
        if newest is not None:
            yield RenditionReport(f"../{other.name}/{MEDIA_PLAYLIST}", newest.msn, newest.part)
