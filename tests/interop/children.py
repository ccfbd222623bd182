"""Programs that a row starts. Each has a process group of its own, which is gone when the row ends."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.lab.programs import find_program

NOBODY = "65534"
TAIL = 600


@contextmanager
def child(
    command: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None, talk: bool = False
) -> Iterator["subprocess.Popen[str]"]:
    """``command``, whose output goes to ``log``; its standard input is a pipe if we ``talk`` to it."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if talk else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()
        process.wait()


def run(
    command: Sequence[str], log: Path, *, within_s: float, environment: Mapping[str, str] | None = None
) -> int | None:
    """The exit status of ``command``, or None if it did not end within ``within_s`` seconds and was killed."""
    with child(command, log, environment=environment) as process:
        try:
            return process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None


def tail(log: Path) -> str:
    """The last lines of ``log``."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return text[-TAIL:].strip()


def without_root(command: Sequence[str], directory: Path) -> list[str]:
    """``command`` as an ordinary user who may write to ``directory``: VLC refuses to run as root."""
    home = ["env", f"HOME={directory}", f"XDG_RUNTIME_DIR={directory}"]
    if os.geteuid() != 0:
        return [*home, *command]
    os.chown(directory, int(NOBODY), int(NOBODY))
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *home, *command]


def first_line(command: Sequence[str]) -> str:
    """The first line that ``command`` prints, such as its version; nothing if there is no such program."""
    if find_program(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    lines = (done.stdout or done.stderr).splitlines()
    return lines[0] if lines else ""
