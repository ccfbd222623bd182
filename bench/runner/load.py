"""Many publishers as the load on a server."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.lab.rtmp.loop import CHUNK_SIZE
from tests.lab.rtmp.publishers import Sent

WATCHED = 4
TARDY_MS = 10


@dataclass(frozen=True, slots=True)
class Load:
    """After ``warm_up`` seconds, ``seconds`` are counted. ``chunk_size`` is that of the publishers, in bytes."""

    streams: int
    seconds: float
    warm_up: float
    clip: Path
    chunk_size: int = CHUNK_SIZE

    @property
    def watched(self) -> list[int]:
        """The indexes of the watched streams, spread over all, including the first and the last."""
        return sorted({number * (self.streams - 1) // max(1, WATCHED - 1) for number in range(WATCHED)})


def punctuality(sent: Iterable[Sent]) -> str:
    """A note on how punctual the load itself was."""
    late = sum((each.late_ms for each in sent), Counter[int]())
    tardy = sum(count for milliseconds, count in late.items() if milliseconds >= TARDY_MS)
    return f"The publishers sent {tardy / late.total():.2%} of their messages {TARDY_MS} ms or more too late."
