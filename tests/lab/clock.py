"""A clock that moves only when a test sets it."""

from dataclasses import dataclass


@dataclass(slots=True)
class ManualClock:
    """Returns ``now``, in seconds."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now
