"""A server that somebody else made, as a process of its own."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import geteuid
from pathlib import Path

from bench.stage.errors import BenchError
from bench.stage.machine import program
from bench.stage.ports import listens

START_S = 10.0


@contextmanager
def daemon(command: Sequence[str], port: int, directory: Path, *, missing: str) -> Iterator[int]:
    """The id of the process that listens on ``port``, ended with the block.

    What it says goes to a file in ``directory``. Raises BenchError, with the text ``missing`` where it is not
    installed.
    """
    name = Path(command[0]).name
    path = program(command[0])
    if path is None:
        raise BenchError(missing)
    log = directory / f"{name}.log"
    with log.open("wb") as said:
        process = subprocess.Popen([path, *command[1:]], stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        if not listens(process, port, START_S):
            raise BenchError(f"{name} did not start: {log.read_text(errors='replace')}")
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def nginx_command(directory: Path, configuration: Path) -> list[str]:
    """nginx in the foreground with all it writes in ``directory``."""
    # As root, it would give its files to a user that cannot enter the directory.
    user = " user root;" if geteuid() == 0 else ""
    return ["nginx", "-p", str(directory), "-c", str(configuration), "-g", f"daemon off;{user}"]
