"""What a broadcast publishes on the bus while it is live (:data:`live.topics.MEDIA`), and what viewers report back
(:data:`live.topics.FEEDBACK`).

A :class:`BroadcastChanged` comes first, then every track's ``Init``, ``Part`` and ``Segment`` as they are made.
"""

from dataclasses import dataclass

from packager.cmaf.segment_writer import Init, Part, Segment
from packager.facts import BroadcastFacts


@dataclass(frozen=True, slots=True)
class BroadcastChanged:
    """The present facts. ``ready``: every track that was planned at the start has media to play."""

    stream: str
    broadcast: str
    facts: BroadcastFacts
    ready: bool


@dataclass(frozen=True, slots=True)
class SegmentStored:
    """The segment is durable: the store can serve it."""

    track: str
    msn: int


@dataclass(frozen=True, slots=True)
class WindowMoved:
    """Segments before ``msn`` are deleted from the store: the DVR window has passed them."""

    msn: int


@dataclass(frozen=True, slots=True)
class BroadcastClosed:
    """The last message: the ended broadcast is completely in the store."""

    stream: str
    broadcast: str


LiveMessage = BroadcastChanged | Init | Part | Segment | SegmentStored | WindowMoved | BroadcastClosed


@dataclass(frozen=True, slots=True)
class PartFetched:
    """A viewer has requested this part for the first time."""

    track: str
    msn: int
    part: int
