"""Remembers, for a short time, publishers that were disconnected because of what they send.

The media is known only after publishing was accepted, and a disconnected encoder reconnects at once. Its next
publish request is refused with the reason, which encoders show to the broadcaster, and no broadcast starts.
"""

from hashlib import blake2b
from typing import NamedTuple

MAX_REMEMBERED = 1024


class Refusal(NamedTuple):
    """``code`` is stable; ``text`` is for the broadcaster."""

    code: str
    text: str


class RefusalMemory:
    """Keeps refusals for ``seconds``. ``now`` is seconds of a monotonic clock. Keys are kept as hashes."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._refusals: dict[bytes, tuple[float, Refusal]] = {}

    def remember(self, host: str, key: str, refusal: Refusal, now: float) -> None:
        digest = _digest(host, key)
        # Reinserting keeps the dictionary in order of age, so the oldest entry is dropped if it is full.
        self._refusals.pop(digest, None)
        if len(self._refusals) >= MAX_REMEMBERED:
            del self._refusals[next(iter(self._refusals))]
        self._refusals[digest] = (now + self._seconds, refusal)

    def recall(self, host: str, key: str, now: float) -> Refusal | None:
        """The refusal, or None if it is unknown or has expired."""
        until, refusal = self._refusals.get(_digest(host, key), (now, None))
        return refusal if now < until else None


def _digest(host: str, key: str) -> bytes:
    return blake2b(f"{host}\0{key}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
