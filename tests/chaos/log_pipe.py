"""The server's standard error: a pipe that is read into a file, until its reader stops."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

PIPE_SIZE = 4096


class LogPipe:
    """``writing`` is the server's end. While ``held`` is set, nobody reads and the pipe is full."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reading, self.writing = os.pipe()
        fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        self._flows = Event()
        self._flows.set()
        self._ended = False
        self._thread = Thread(target=self._drain)
        self._thread.start()

    def hold(self) -> None:
        """Stop reading, and fill the pipe."""
        self._flows.clear()
        # A descriptor of its own: O_NONBLOCK belongs to the open file, which the server shares.
        full = os.open(f"/proc/self/fd/{self.writing}", os.O_WRONLY | os.O_NONBLOCK)
        try:
            with suppress(BlockingIOError):
                while True:
                    os.write(full, b"." * 512)
        finally:
            os.close(full)

    def release(self) -> None:
        self._flows.set()

    def text(self) -> str:
        return self.path.read_text(errors="replace")

    def close(self) -> None:
        """After the server has ended."""
        self._ended = True
        self._flows.set()
        os.close(self.writing)
        self._thread.join()
        os.close(self._reading)

    def _drain(self) -> None:
        with self.path.open("wb", buffering=0) as log:
            while True:
                if not self._ended:
                    self._flows.wait()
                data = os.read(self._reading, 65536)
                if not data:
                    return
                log.write(data)


@contextmanager
def log_pipe(path: Path) -> Iterator[LogPipe]:
    pipe = LogPipe(path)
    try:
        yield pipe
    finally:
        pipe.close()
