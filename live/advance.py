"""How far beyond the end of a track a request may wait, and when a position is expected
(draft-pantos-hls-rfc8216bis, 6.2.5.2)."""

from live.window_track import Position, WindowTrack
from media.names import FIRST_MSN
from media.timescale import MICROSECONDS, MILLISECONDS
from packager.facts import BroadcastFacts, LowLatency

SEGMENTS_AHEAD = 2
PARTS_AHEAD_S = 3


def is_near(track: WindowTrack | None, position: Position, low_latency: LowLatency | None) -> bool:
    """Whether ``position`` exists or is so near that a request may wait for it."""
    if track is None or (end := track.end) is None:
        return position.msn <= SEGMENTS_AHEAD
    position = track.normalize(position)
    if track.has(position):
        return True
    last = track.last_msn if track.last_msn is not None else end.msn - 1
    if position.msn > last + SEGMENTS_AHEAD:
        return False
    if position.part is None or low_latency is None:
        return True
    existing = end.part or 0 if position.msn == end.msn else 0
    return position.part - existing <= max(
        PARTS_AHEAD_S, PARTS_AHEAD_S * MICROSECONDS // low_latency.part_target_us
    )


def expected_in(track: WindowTrack, position: Position, facts: BroadcastFacts) -> float:
    """Seconds until the track reaches ``position``, if its segments and parts last as long as their targets."""
    segment_s = facts.segment_target_ms / MILLISECONDS
    opened = track.open_segment
    elapsed_s = 0.0
    if opened is not None:
        next_msn = opened.opened.msn
        timescale = track.inits[opened.opened.init].config.timescale
        elapsed_s = sum(part.duration for part in opened.parts) / timescale
    else:
        next_msn = FIRST_MSN if track.last_msn is None else track.last_msn + 1
    segments = position.msn - next_msn
    if position.part is None:
        return max(0.0, (segments + 1) * segment_s - elapsed_s)
    low_latency = facts.low_latency
    part_s = low_latency.part_target_us / MICROSECONDS if low_latency is not None else segment_s
    return max(0.0, segments * segment_s + (position.part + 1) * part_s - elapsed_s)
