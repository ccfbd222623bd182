"""Who is compared: how each is started, where it is published to, and where it lists its segments."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.stage import mediamtx, nginx_rtmp, srs
from bench.stage.hls_files import HlsFiles
from tests.lab.server import serving

HEADWATER, NGINX, SRS, MEDIAMTX = "Headwater", "nginx-rtmp", "SRS", "MediaMTX"
SETTINGS = {"HEADWATER_TRANSCODER__LADDER": "source"}


@dataclass(frozen=True, slots=True)
class Running:
    """``urls`` and ``playlists`` are the streams' in the same order; a playlist is None while there is none, and
    there are no playlists of a server that does not write them to the disk."""

    pid: int
    directory: Path
    urls: tuple[str, ...]
    playlists: tuple[Callable[[], Path | None], ...]


Start = Callable[[Path, int], AbstractContextManager[Running]]


def here() -> None:
    """Nothing is missing."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """``missing`` says why it cannot take part, or None."""

    start: Start
    missing: Callable[[], str | None] = here


@contextmanager
def _headwater(directory: Path, streams: int) -> Iterator[Running]:
    names = _names(streams)
    with serving(directory / "data", environment=SETTINGS) as server:
        store = directory / "data" / "store"
        yield Running(
            server.pid,
            store / "live",
            tuple(map(server.create, names)),
            tuple(_found(store / "live" / name, "*/vsource/media.m3u8") for name in names),
        )


def _files(serve: Callable[[Path], AbstractContextManager[HlsFiles]]) -> Start:
    @contextmanager
    def running(directory: Path, streams: int) -> Iterator[Running]:
        names = _names(streams)
        with serve(directory) as server:
            yield Running(
                server.pid,
                server.playlists,
                tuple(map(server.publish, names)),
                tuple(_found(server.playlists, f"{name}.m3u8") for name in names),
            )

    return running


@contextmanager
def _mediamtx(directory: Path, streams: int) -> Iterator[Running]:
    hls = directory / "hls"
    hls.mkdir()
    with mediamtx.mediamtx(directory, hls_directory=hls) as server:
        yield Running(server.pid, hls, tuple(map(server.publish, _names(streams))), ())


CANDIDATES: dict[str, Candidate] = {
    HEADWATER: Candidate(_headwater),
    NGINX: Candidate(_files(nginx_rtmp.nginx_rtmp), nginx_rtmp.missing),
    SRS: Candidate(_files(srs.srs), srs.missing),
    MEDIAMTX: Candidate(_mediamtx, mediamtx.missing),
}


def _names(streams: int) -> tuple[str, ...]:
    return tuple(f"density-{number}" for number in range(streams))


def _found(directory: Path, pattern: str) -> Callable[[], Path | None]:
    return lambda: next(directory.glob(pattern), None)
