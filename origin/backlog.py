"""The messages of a broadcast that arrive while its live window waits for a snapshot."""

from collections import deque
from collections.abc import Iterator

from live.messages import BroadcastChanged, LiveMessage
from packager.cmaf.segment_writer import Init, Part, Segment

MAX_BYTES = 16 << 20
MAX_MESSAGES = 4096


class Backlog:
    """Keeps the newest messages, and the newest facts even if they are older: facts have no number, so a window
    could not detect that they are missing."""

    def __init__(self) -> None:
        self._messages: deque[LiveMessage] = deque()
        self._facts: BroadcastChanged | None = None
        self._bytes = 0

    def __iter__(self) -> Iterator[LiveMessage]:
        if self._facts is not None:
            yield self._facts
        yield from self._messages

    def add(self, message: LiveMessage) -> None:
        self._messages.append(message)
        self._bytes += _size(message)
        while self._bytes > MAX_BYTES or len(self._messages) > MAX_MESSAGES:
            oldest = self._messages.popleft()
            self._bytes -= _size(oldest)
            if isinstance(oldest, BroadcastChanged):
                self._facts = oldest


def _size(message: LiveMessage) -> int:
    return len(message.data) if isinstance(message, Init | Part | Segment) else 0
