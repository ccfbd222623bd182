"""Low-latency media playlists (draft-pantos-hls-rfc8216bis, 4.4.3.7 to 4.4.5.4 and 6.2.2 to 6.2.6)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from live.window_snapshot import PartEntry
from live.window_track import Position, WindowTrack
from media.names import MEDIA_PLAYLIST, init_name, part_name
from media.timescale import MICROSECONDS, rescale
from media.units import Kind
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
# The consecutive segments of equal duration after which the next is expected to be as long.
REGULAR_SEGMENTS = 3


def low_latency_playlist(
    playlist: MediaPlaylist,
    track: TrackFacts,
    window: WindowTrack,
    position: Position | None,
    *,
    low_latency: LowLatency,
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
    opened = window.entry_of(position.msn) if position.part is not None else None
    parts = window.parts_of(position.msn)[: (position.part or 0) + 1] if opened is not None else ()
    partial = _partial(opened, parts, track.config_of(opened.init).timescale) if opened is not None else None
    edge_us = sum(part.duration_us for part in partial.parts) if partial is not None else 0
    return replace(
        playlist,
        segments=_with_parts(playlist, window, track, PARTS_WITHIN * target_us - edge_us),
        server_control=ServerControl(
            can_block_reload=True,
            hold_back_us=3 * target_us,
            part_hold_back_us=PART_HOLD_BACK * low_latency.part_target_us,
            can_skip_until_us=SKIP_UNTIL * target_us,
        ),
        part_target_us=low_latency.part_target_us,
        partial=partial,
        preload_hint=PreloadHint(_next_part(window, position, parts, track)),
        rendition_reports=tuple(_reports(others, reached)),
    )


def hls_parts(msn: int, parts: Sequence[PartEntry], timescale: int) -> tuple[PartialSegment, ...]:
    return tuple(
        PartialSegment(part_name(msn, index), rescale(part.duration, timescale, MICROSECONDS), part.independent)
        for index, part in enumerate(parts)
    )


def _with_parts(
    playlist: MediaPlaylist, window: WindowTrack, track: TrackFacts, within_us: int
) -> tuple[MediaSegment, ...]:
    """The segments; the newest ones with their parts. A later init segment may have changed the timescale."""
    segments = list(playlist.segments)
    for place in range(len(segments) - 1, -1, -1):
        if within_us <= 0:
            break
        msn = playlist.media_sequence + place
        parts, entry = window.parts_of(msn), window.entry_of(msn)
        if parts and entry is not None:
            timescale = track.config_of(entry.init).timescale
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


def _next_part(window: WindowTrack, position: Position, parts: Sequence[PartEntry], track: TrackFacts) -> str:
    """The name of the next part.

    If the last segments had equal durations, this one is expected to end when it is as long, because the encoder's
    next frame is a keyframe then; a short part of audio ends its segment (4.4.4.9). Otherwise the hint names a part
    of the same segment. If the segment ends instead, a request for that part gets the next part, which is the first
    of the next segment (6.2.5.2). A wrong guess of the segment's end could not be answered until it ends.
    """
    if position.part is None:
        return part_name(position.msn + 1, 0)
    timescale = track.config.timescale
    ends = _is_as_long_as_before(window, position.msn, parts, timescale)
    if track.kind is Kind.AUDIO and parts:
        ends |= 100 * parts[-1].duration < SHORTEST_PERCENT * max(part.duration for part in parts)
    return part_name(position.msn + 1, 0) if ends else part_name(position.msn, position.part + 1)


def _is_as_long_as_before(window: WindowTrack, msn: int, parts: Sequence[PartEntry], timescale: int) -> bool:
    """Whether ``parts`` of segment ``msn`` are as long as the REGULAR_SEGMENTS before it, which are equally long.

    If fewer are known, the parts must also be as long as those of the segment before.
    """
    before = [window.entry_of(msn - back) for back in range(1, REGULAR_SEGMENTS + 1)]
    durations = [entry.duration for entry in before if entry is not None and not entry.gap]
    unevenness = timescale // UNEVENNESS_PER_SECOND
    if not durations or max(durations) - min(durations) >= unevenness:
        return False
    if durations[0] - sum(part.duration for part in parts) >= unevenness:
        return False
    if len(durations) == REGULAR_SEGMENTS:
        return True
    return [part.duration for part in parts] == [part.duration for part in window.parts_of(msn - 1)]


def _reports(others: Iterable[WindowTrack], before: int | None) -> Iterable[RenditionReport]:
    for other in others:
        newest = other.newest(before)
        if newest is not None:
            yield RenditionReport(f"../{other.name}/{MEDIA_PLAYLIST}", newest.msn, newest.part)
