"""The topics of the bus, each with the type of its messages, and the address of a broadcast on them."""

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from live.messages import LiveMessage, Milestone, PartFetched
from storage.catalogue.events import Event

M = TypeVar("M")


class BroadcastRef(NamedTuple):
    """The broadcast that a message belongs to. A tuple, because it is looked up for every part."""

    stream: str
    broadcast: str


@dataclass(frozen=True, slots=True, eq=False)
class Topic(Generic[M]):
    """Messages of type ``M``. Topics are compared by identity; ``name`` is for logs."""

    name: str


MEDIA: Topic[LiveMessage] = Topic("media")
"""The messages of a live broadcast, in order."""

FEEDBACK: Topic[PartFetched] = Topic("feedback")
"""Feedback from the viewers of a broadcast."""

EVENTS: Topic[Event] = Topic("events")
"""What the operator of a broadcast should know, as its event log has it."""

MILESTONES: Topic[Milestone] = Topic("milestones")
"""A broadcast can be played; its recording is complete."""
