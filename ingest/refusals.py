"""A short memory of publishers whose media could not be carried.

The codec is known only after publishing was accepted, and an encoder that is then cut off comes straight back: it
is told the reason again where it understands it, at publish, and no broadcast begins in between.
"""

from hashlib import blake2b

MAX_REMEMBERED = 1024


class RefusalMemory:
    """``now`` is seconds of any steady clock. Keys are kept as hashes."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._refusals: dict[bytes, tuple[float, str]] = {}

    def remember(self, host: str, key: str, text: str, now: float) -> None:
        identity = identify(host, key)
        # Oldest first, so that the oldest is what a full memory forgets.
        self._refusals.pop(identity, None)
        if len(self._refusals) >= MAX_REMEMBERED:
            del self._refusals[next(iter(self._refusals))]
        self._refusals[identity] = (now + self._seconds, text)

    def recall(self, host: str, key: str, now: float) -> str | None:
        """The text of a refusal that is still remembered."""
        until, text = self._refusals.get(identify(host, key), (now, ""))
        return text if now < until else None


def identify(host: str, key: str) -> bytes:
    return blake2b(f"{host}\0{key}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
