"""Who is compared: how each is started, where it is published to, and where its viewers begin."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.stage.mediamtx import SECRET, mediamtx
from tests.lab.server import serving
from transcoder.ladder import SOURCE_TRACK

HEADWATER, ENCODING, MEDIAMTX = "Headwater", "Headwater, encoding", "MediaMTX"
SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Running:
    """``urls`` and ``masters`` are the streams' in one order; ``rendition`` names one by its playlist's path.
    ``bearer`` is a token that viewers show."""

    pid: int
    origin: str
    urls: tuple[str, ...]
    masters: tuple[str, ...]
    rendition: Callable[[str], str]
    bearer: str | None = None


Candidate = Callable[[Path, int], AbstractContextManager[Running]]


def headwater(ladder: str) -> Candidate:
    @contextmanager
    def running(directory: Path, streams: int) -> Iterator[Running]:
        names = _names(streams)
        with serving(directory / "data", environment={"HEADWATER_TRANSCODER__LADDER": ladder}) as server:
            yield Running(
                server.pid,
                server.http,
                tuple(map(server.create, names)),
                tuple(f"/live/{name}/master.m3u8" for name in names),
                _track,
            )

    return running


@contextmanager
def peer(directory: Path, streams: int) -> Iterator[Running]:
    names = _names(streams)
    with mediamtx(directory) as server:
        yield Running(
            server.pid,
            server.http,
            tuple(map(server.publish, names)),
            tuple(map(server.master, names)),
            lambda path: SOURCE,
            SECRET,
        )


# Those that hand the source on as it is, and those that encode too.
REMUXING: dict[str, Candidate] = {HEADWATER: headwater("source"), MEDIAMTX: peer}
LADDERS: dict[str, Candidate] = {ENCODING: headwater("auto")}


def _names(streams: int) -> tuple[str, ...]:
    return tuple(f"delay-{number}" for number in range(streams))


def _track(path: str) -> str:
    track = path.split("/")[-2]
    return SOURCE if track == SOURCE_TRACK else track.removeprefix("v")
