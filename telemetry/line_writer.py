"""Writes lines to a descriptor without blocking its caller, and without raising.

A log may be on a full disk, or a pipe that nobody reads. That must not stop a program that only wants to log. So a
thread writes the lines, and the queue before it is bounded. A line that cannot be written is lost and counted; the
next one is tried again.
"""

import os
import select
import threading
from collections import deque

MAX_WAITING_BYTES = 4 << 20
# Seconds that :meth:`LineWriter.close` waits for the lines in the queue.
CLOSE_S = 2.0
# Milliseconds between two looks at a non-blocking descriptor that is full.
POLL_MS = 1000


class LineWriter:
    """A text stream over ``descriptor``, which may be non-blocking. :meth:`write` takes whole lines."""

    def __init__(self, descriptor: int, *, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self._descriptor = descriptor
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        # The bytes in the queue and of the line that is being written.
        self._bytes = 0
        self._lost = 0
        self._closed = False
        # The descriptor has the beginning of a line whose end was lost.
        self._inside_line = False
        self._thread = threading.Thread(target=self._run, name="line-writer", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """The number of writes that are lost so far."""
        return self._lost

    def write(self, text: str) -> int:
        data = text.encode(errors="backslashreplace")
        with self._changed:
            if self._closed or self._bytes + len(data) > self._max_bytes:
                self._lost += 1
            else:
                self._waiting.append(data)
                self._bytes += len(data)
                self._changed.notify()
        return len(text)

    def flush(self) -> None:
        """Does nothing: lines are written as soon as the descriptor takes them."""

    def close(self, timeout: float = CLOSE_S) -> None:
        """Write what waits, for at most ``timeout`` seconds. The descriptor stays open."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout)

    def _run(self) -> None:
        while (data := self._next()) is not None:
            written = self._put(data)
            with self._changed:
                self._bytes -= len(data)
                self._lost += not written

    def _next(self) -> bytes | None:
        """Waits for a line; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return self._waiting.popleft() if self._waiting else None

    def _put(self, data: bytes) -> bool:
        """Whether ``data`` was written. Blocks while the descriptor is full."""
        rest = memoryview(b"\n" + data if self._inside_line else data)
        try:
            while rest:
                try:
                    rest = rest[os.write(self._descriptor, rest) :]
                    self._inside_line = bool(rest)
                except BlockingIOError:
                    _wait_writable(self._descriptor)
        except OSError:
            return False
        return True


def _wait_writable(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll(POLL_MS)
