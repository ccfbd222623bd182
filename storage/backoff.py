"""The delay before the next attempt at a store: exponential, capped, with jitter against simultaneous retries."""

from dataclasses import dataclass

from storage.interface import StorageError


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds: the first delay, doubled with each failure up to ``most``."""

    first: float
    most: float

    def delay(self, failures: int, random: float) -> float:
        """Seconds to wait after ``failures`` in a row. ``random`` in [0, 1) reduces the delay by up to half."""
        delay = min(self.first * 2.0 ** min(failures - 1, 32), self.most)
        return delay * (1 - random / 2)


UNAVAILABLE = Backoff(first=0.25, most=8.0)
MISCONFIGURED = Backoff(first=5.0, most=30.0)
"""Only a person can correct the configuration; afterwards, uploads continue without a restart."""


def backoff_for(error: StorageError) -> Backoff:
    return UNAVAILABLE if error.retryable else MISCONFIGURED
