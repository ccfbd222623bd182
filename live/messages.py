"""What a broadcast says on the bus while it is live, on the subject ``media.{stream}.{broadcast}``.

A :class:`BroadcastChanged` comes first, then every track's ``Init``, ``Part`` and ``Segment`` as they are made.
"""

from dataclasses import dataclass

from packager.cmaf.segment_writer import Init, Part, Segment
from packager.facts import BroadcastFacts


@dataclass(frozen=True, slots=True)
class BroadcastChanged:
    """The facts as they are now. ``ready``: every track meant from the start has media to play."""

    stream: str
    broadcast: str
    facts: BroadcastFacts
    ready: bool


@dataclass(frozen=True, slots=True)
class SegmentStored:
    """The segment is durable: the store serves it from now on."""

    track: str
    msn: int


@dataclass(frozen=True, slots=True)
class PartFetched:
    """The first viewer has asked for this part; said by the origin."""

    track: str
    msn: int
    part: int


@dataclass(frozen=True, slots=True)
class WindowMoved:
    """Segments before ``msn`` are gone from the store (the DVR window has passed them)."""

    msn: int


@dataclass(frozen=True, slots=True)
class BroadcastClosed:
    """Everything of the ended broadcast is in the store; nothing more will be said."""

    stream: str
    broadcast: str


LiveMessage = BroadcastChanged | Init | Part | Segment | SegmentStored | PartFetched | WindowMoved | BroadcastClosed


def subject(stream: str, broadcast: str) -> str:
    return f"media.{stream}.{broadcast}"
