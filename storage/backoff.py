"""How long to wait before trying a store again: exponential, capped, with jitter so that not all come at once."""

from dataclasses import dataclass

from storage.interface import StorageError


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds; doubled from ``first`` up to ``most``."""

    first: float
    most: float

    def delay(self, failures: int, random: float) -> float:
        """After that many ``failures`` in a row, from 1; ``random`` is in [0, 1) and takes up to half off."""
        whole = min(self.first * 2.0 ** min(failures - 1, 32), self.most)
        return whole * (1 - random / 2)


UNAVAILABLE = Backoff(first=0.25, most=8.0)
MISCONFIGURED = Backoff(first=5.0, most=30.0)
"""Only a person can mend it, so there is no hurry; but once mended, uploads go on by themselves."""


def backoff_for(error: StorageError) -> Backoff:
    return UNAVAILABLE if error.retryable else MISCONFIGURED
