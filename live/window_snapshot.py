"""A live window as one immutable value, from which another window continues with the same answers.

It shares the media's bytes with its source. Stored segments may be missing from ``TrackSnapshot.segments``;
requests for them go to the store.
"""

from dataclasses import dataclass

from packager.cmaf.segment_writer import Init
from packager.dash import Presentation
from packager.facts import BroadcastFacts, SegmentEntry


@dataclass(frozen=True, slots=True)
class PartEntry:
    """One part as playlists list it. ``duration`` is ticks of the track's timescale; ``at`` orders the parts and
    segments of all tracks by arrival."""

    duration: int
    size: int
    independent: bool
    at: int


@dataclass(frozen=True, slots=True)
class CompleteSegment:
    """A complete segment without its media. ``at`` is its place in the order of arrivals; ``first`` is the first
    MSN of the playlist at that moment."""

    entry: SegmentEntry
    parts: tuple[PartEntry, ...]
    at: int
    first: int


@dataclass(frozen=True, slots=True)
class SegmentSnapshot:
    """A segment's media. ``data`` is None for the open segment, ``chunks`` is empty for a complete one."""

    opened: SegmentEntry
    parts: tuple[PartEntry, ...]
    chunks: tuple[bytes, ...]
    data: bytes | None
    stored: bool


@dataclass(frozen=True, slots=True)
class TrackSnapshot:
    """``complete`` lists, by MSN, the segments of the playlist and of the playlists of past positions; ``segments``
    are those whose media is in memory."""

    track: str
    inits: tuple[Init, ...]
    complete: tuple[CompleteSegment, ...]
    segments: tuple[SegmentSnapshot, ...]


@dataclass(frozen=True, slots=True)
class WindowSnapshot:
    """``arrivals`` counts the messages so far. Positions reached at ``recalled_from`` or before cannot be
    recalled, because the facts have changed since. ``presentations`` are the newest MPDs by BaseURL, with
    @publishTime."""

    stream: str
    broadcast: str
    facts: BroadcastFacts
    ready: bool
    gone_before: int
    arrivals: int
    recalled_from: int
    presentations: tuple[tuple[str | None, Presentation], ...]
    tracks: tuple[TrackSnapshot, ...]
