"""The topics of the bus, each with the type of its messages, and the address of a broadcast on them."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from live.messages import LiveMessage, PartFetched

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class BroadcastRef:
    """The broadcast that a message belongs to."""

    stream: str
    broadcast: str

    def __hash__(self) -> int:
        """Looked up for every part: the id of a broadcast is unique, and a string keeps its hash."""
        return hash(self.broadcast)


@dataclass(frozen=True, slots=True, eq=False)
class Topic(Generic[M]):
    """Messages of type ``M``. Topics are compared by identity; ``name`` is for logs."""

    name: str


MEDIA: Topic[LiveMessage] = Topic("media")
"""What a broadcast publishes while it is live, in order."""

FEEDBACK: Topic[PartFetched] = Topic("feedback")
"""What viewers do with a broadcast."""
