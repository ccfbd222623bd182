"""Many publishers as the load of a server."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.lab.rtmp.publishers import Sent

WATCHED = 4
TARDY_MS = 10


@dataclass(frozen=True, slots=True)
class Load:
    """``warm_up`` seconds are not counted, ``seconds`` are."""

    streams: int
    seconds: float
    warm_up: float
    clip: Path

    @property
    def watched(self) -> list[int]:
        """The streams that are looked at: spread over all, with the first and the last of a turn."""
        return sorted({number * (self.streams - 1) // max(1, WATCHED - 1) for number in range(WATCHED)})


def punctuality(sent: Iterable[Sent]) -> str:
    """How well the load itself kept its time."""
    late = sum((each.late_ms for each in sent), Counter[int]())
    tardy = sum(count for milliseconds, count in late.items() if milliseconds >= TARDY_MS)
    return f"The publishers sent {tardy / late.total():.2%} of their frames {TARDY_MS} ms or more after their time."
