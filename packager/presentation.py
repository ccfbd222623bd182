"""What a broadcast's playlists and manifest are made from, and the making, in one place for their users.

HLS and DASH say the same about the same segments: the facts are stated once (:mod:`packager.facts`) and put in each
one's terms (:mod:`packager.hls.build`, :mod:`packager.dash.build`).
"""

from packager.dash.build import dash_presentation
from packager.facts import BroadcastFacts, LowLatency, Pace, Run, SegmentEntry, TrackFacts, follow
from packager.hls.build import SegmentMemo, hls_segment, media_playlist, multivariant_playlist

__all__ = [
    "BroadcastFacts",
    "LowLatency",
    "Pace",
    "Run",
    "SegmentEntry",
    "SegmentMemo",
    "TrackFacts",
    "dash_presentation",
    "follow",
    "hls_segment",
    "media_playlist",
    "multivariant_playlist",
]
