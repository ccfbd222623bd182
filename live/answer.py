"""What a live window answers: bytes, and for how long they stay true."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum, auto


class Lifetime(Enum):
    MOMENT = auto()
    """The next message may change it."""
    POSITION = auto()
    """A playlist at a position: the same whenever it is requested."""
    IMMUTABLE = auto()
    """Media: its name is never reused for other bytes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``data`` is everything, or the first chunk of a growing segment whose ``rest`` follows."""

    data: bytes
    lifetime: Lifetime
    rest: AsyncIterator[bytes] | None = None
