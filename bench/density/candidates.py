"""Who is compared: how each is started, where it is published to, and where it lists its segments."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.stage.nginx_rtmp import nginx_rtmp
from bench.stage.server import serving

HEADWATER, NGINX = "Headwater", "nginx-rtmp"
SETTINGS = {"HEADWATER_TRANSCODER__LADDER": "source"}


@dataclass(frozen=True, slots=True)
class Running:
    """``urls`` and ``playlists`` are the streams' in the same order; a playlist is None while there is none."""

    pid: int
    directory: Path
    urls: tuple[str, ...]
    playlists: tuple[Callable[[], Path | None], ...]


Candidate = Callable[[Path, int], AbstractContextManager[Running]]


@contextmanager
def headwater(directory: Path, streams: int) -> Iterator[Running]:
    names = _names(streams)
    with serving(directory / "data", SETTINGS, names) as server:
        store = directory / "data" / "store"
        yield Running(
            server.pid,
            store / "live",
            tuple(map(server.publish, names)),
            tuple(_found(store / "live" / name, "*/vsource/media.m3u8") for name in names),
        )


@contextmanager
def nginx(directory: Path, streams: int) -> Iterator[Running]:
    names = _names(streams)
    with nginx_rtmp(directory) as server:
        yield Running(
            server.pid,
            server.hls,
            tuple(map(server.publish, names)),
            tuple(_found(server.hls, f"{name}.m3u8") for name in names),
        )


CANDIDATES: dict[str, Candidate] = {HEADWATER: headwater, NGINX: nginx}


def _names(streams: int) -> tuple[str, ...]:
    return tuple(f"density-{number}" for number in range(streams))


def _found(directory: Path, pattern: str) -> Callable[[], Path | None]:
    return lambda: next(directory.glob(pattern), None)
