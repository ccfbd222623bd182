"""A live window made from the ledger, for an origin that lacks some of a broadcast's messages.

It holds no media: segments come from the store. The ledger does not have the parts of the open segment, so a window
that starts within a segment waits for its end.
"""

from collections.abc import Iterable

from live.window_snapshot import CompleteSegment, TrackSnapshot, WindowSnapshot
from packager.facts import SegmentEntry
from worker.ledger import BroadcastLedger, TrackLedger


def window_seed(ledger: BroadcastLedger) -> WindowSnapshot:
    tracks = [track for track in ledger.tracks.values() if track.init is not None]
    firsts = [track.entries[0].msn for track in tracks if track.entries]
    return WindowSnapshot(
        stream=ledger.stream,
        broadcast=ledger.broadcast,
        facts=ledger.live_facts(),
        ready=ledger.playable,
        gone_before=min(firsts, default=0),
        arrivals=0,
        recalled_from=0,
        presentations=(),
        tracks=tuple(_track_seed(track, ledger.playlist_window_ms) for track in tracks),
    )


def _track_seed(track: TrackLedger, window_ms: int) -> TrackSnapshot:
    entries = track.newest(window_ms)
    return TrackSnapshot(
        track=track.track,
        inits=tuple(track.inits.values()),
        complete=tuple(_without_parts(entries)),
        segments=(),
    )


def _without_parts(entries: list[SegmentEntry]) -> Iterable[CompleteSegment]:
    return (CompleteSegment(entry, parts=(), at=0, first=entries[0].msn) for entry in entries)
