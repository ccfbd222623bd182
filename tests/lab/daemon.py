"""A third-party server in its own process."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import geteuid
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.ports import listens
from tests.lab.programs import find_program

START_S = 10.0


@contextmanager
def daemon(command: Sequence[str], port: int, directory: Path, *, missing: str) -> Iterator[int]:
    """Run ``command`` until the block ends; yields its process id once it listens on ``port``.

    Its output goes to a file in ``directory``. Raises LabError, with the text ``missing`` if it is not installed.
    """
    name = Path(command[0]).name
    path = find_program(command[0])
    if path is None:
        raise LabError(missing)
    log = directory / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen([path, *command[1:]], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        if not listens(process, port, START_S):
            raise LabError(f"{name} did not start: {log.read_text(errors='replace')}")
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def nginx_command(directory: Path, configuration: Path) -> list[str]:
    """nginx in the foreground with all its files in ``directory``."""
    # If started as root, nginx gives its files to a user that cannot enter the directory.
    user = " user root;" if geteuid() == 0 else ""
    return ["nginx", "-p", str(directory), "-c", str(configuration), "-g", f"daemon off;{user}"]
