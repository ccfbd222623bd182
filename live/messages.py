"""The messages of a live broadcast on the bus (:data:`live.topics.MEDIA`), and the feedback from viewers
(:data:`live.topics.FEEDBACK`), and its milestones (:data:`live.topics.MILESTONES`).

A :class:`BroadcastChanged` is first; the ``Init``, ``Part`` and ``Segment`` messages of every track follow.
"""

from dataclasses import dataclass

from packager.cmaf.segment_writer import Init, Part, Segment
from packager.facts import BroadcastFacts
from storage.catalogue.records import BroadcastRecord


@dataclass(frozen=True, slots=True)
class BroadcastChanged:
    """The current facts. ``ready``: the broadcast is playable."""

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
    """Segments before ``msn`` have left the DVR window and are deleted from the store."""

    msn: int


@dataclass(frozen=True, slots=True)
class BroadcastClosed:
    """The last message: the broadcast has ended, and the window is no longer needed."""

    stream: str
    broadcast: str


LiveMessage = BroadcastChanged | Init | Part | Segment | SegmentStored | WindowMoved | BroadcastClosed


@dataclass(frozen=True, slots=True)
class PartFetched:
    """A viewer has requested this part for the first time."""

    track: str
    msn: int
    part: int


@dataclass(frozen=True, slots=True)
class BroadcastPlayable:
    """Viewers can play the broadcast from now on. A broadcast that continues after a crash does not repeat it."""


@dataclass(frozen=True, slots=True)
class BroadcastStored:
    """The broadcast has ended, and everything of it is in the store."""

    record: BroadcastRecord


Milestone = BroadcastPlayable | BroadcastStored
