"""What happened to one thing, as values. :class:`telemetry.tracing.Tracing` makes spans of them afterwards.

Times are Unix nanoseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from telemetry.spans import Attributes


@dataclass(frozen=True, slots=True)
class Moment:
    name: str
    at_ns: int
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    began_ns: int
    ended_ns: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """``failed`` is the stable code of an error, None if there was no error."""

    name: str
    began_ns: int
    ended_ns: int
    attributes: Attributes
    steps: Sequence[Step] = ()
    moments: Sequence[Moment] = ()
    failed: str | None = None
