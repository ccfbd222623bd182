"""A live window's answer to a request: bytes, and how long they stay valid."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import Enum, auto


class Lifetime(Enum):
    MOMENT = auto()
    """The next message may change it."""
    POSITION = auto()
    """A playlist at a position: every request for the position gets the same text."""
    IMMUTABLE = auto()
    """Media: its name is never reused for other bytes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``data`` is the complete body, or the first chunk of a growing segment. ``rest`` yields the other chunks.
    ``is_current`` returns whether a request now would get the same; None if that is not known."""

    data: bytes
    lifetime: Lifetime
    rest: AsyncIterator[bytes] | None = None
    is_current: Callable[[], bool] | None = field(default=None, compare=False)
