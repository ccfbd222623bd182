"""The servers of one broadcast's media: all run at the same time and are measured in turn."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.origin.broadcast import Broadcast, Kind
from tests.lab.errors import LabError
from tests.lab.front import nginx_front
from tests.lab.peers.nginx_files import missing as nginx_missing
from tests.lab.peers.nginx_files import nginx_files

HEADWATER, FILES, FRONT = "Headwater", "nginx, files", "Headwater behind nginx"


@dataclass(frozen=True, slots=True)
class Candidate:
    """``pids`` are the main processes of all programs involved in an answer; ``prepare`` is called with the path
    before it is requested."""

    port: int
    pids: tuple[int, ...]
    kinds: tuple[Kind, ...]
    prepare: Callable[[str], None] = lambda path: None


@contextmanager
def candidates(directory: Path, broadcast: Broadcast, notes: list[str]) -> Iterator[dict[str, Candidate]]:
    """By name; the reasons why some cannot take part are added to ``notes``. Raises LabError."""
    found = {HEADWATER: Candidate(broadcast.port, (broadcast.pid,), tuple(Kind))}
    with ExitStack() as stack:
        if trouble := nginx_missing():
            notes.append(trouble)
        else:
            files = stack.enter_context(nginx_files(_new_directory(directory / "files")))
            found[FILES] = Candidate(
                files.port,
                (files.pid,),
                (Kind.SEGMENT, Kind.PART, Kind.PLAYLIST),
                lambda path: files.put(path, broadcast.read(path)),
            )
        try:
            front = stack.enter_context(
                nginx_front(_new_directory(directory / "front"), f"127.0.0.1:{broadcast.port}")
            )
            found[FRONT] = Candidate(front.port, (*front.processes.values(), broadcast.pid), tuple(Kind))
        except LabError as error:
            notes.append(f"{FRONT}: skipped, {error}")
        yield found


def _new_directory(directory: Path) -> Path:
    directory.mkdir()
    return directory
