"""A synthetic broadcaster: a process that publishes the test picture, started again if it fails."""

import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from control.demo.errors import DemoError
from control.demo.picture import ffmpeg_command

# Seconds after which the end of the process is not caused by its settings.
STEADY_S = 30.0
MAX_FAILURES = 5
END_TIMEOUT_S = 5.0
LAST_LINES = 3


class Broadcaster:
    """Publishes to ``url``/``key`` until stopped. Raises DemoError if its packages are missing.

    ``command`` returns the arguments of the process to run; tests replace it. The process reads the address with
    the key from its standard input, because other users of the machine can read arguments.
    """

    def __init__(self, url: str, key: str, *, command: Callable[[], list[str]] | None = None) -> None:
        self._key = key
        self._target = f"{url.rstrip('/')}/{key}"
        self._command = (command or publisher_command)()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def run(self, *, retry_s: float = 1.0) -> None:
        """Publish until :meth:`stop`; retry after failures. Raises DemoError after ``MAX_FAILURES`` in a row."""
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            output = self._publish()
            if self._stopping.is_set():
                return
            failures = 1 if time.monotonic() - started >= STEADY_S else failures + 1
            if failures >= MAX_FAILURES:
                raise DemoError(f"the demo's publisher ended {failures} times in a row; its last output: {output}")
            self._stopping.wait(failures * retry_s)

    def stop(self) -> None:
        """End the broadcast; callable from any thread, and more than once."""
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None:
            _end(process)

    def _publish(self) -> str:
        """Run the process once. Returns the last lines of its output, without the key."""
        with self._lock:
            if self._stopping.is_set():
                return ""
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                # Ctrl-C must reach this program only, which then ends the broadcast before the server.
                start_new_session=True,
            )
            self._process = process
        try:
            assert process.stdin is not None and process.stderr is not None
            with suppress(BrokenPipeError), process.stdin as addressed:
                addressed.write(self._target)
            with process.stderr as lines:
                last = deque((line.strip() for line in lines), maxlen=LAST_LINES)
            process.wait()
        finally:
            _end(process)
        return " / ".join(last).replace(self._key, "…") or f"nothing (exit code {process.returncode})"


def publisher_command() -> list[str]:
    """Raises DemoError."""
    return [sys.executable, "-m", "control.demo.publisher", *ffmpeg_command()]


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
