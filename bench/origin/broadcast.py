"""One broadcast at Headwater, and what of it is hot now."""

import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from tests.lab.errors import LabError
from tests.lab.rtmp.publishers import publishing
from tests.lab.server import serving
from tests.lab.viewers.playlist import MediaPlaylist, PlaylistError, parse_media, parse_multivariant

STREAM = "origin"
MASTER = f"/live/{STREAM}/master.m3u8"
SETTINGS = {"HEADWATER_TRANSCODER__LADDER": "source"}
ON_AIR_S = 40.0
SEGMENTS = 2


class Kind(Enum):
    """What is asked for."""

    SEGMENT = "segment"
    PART = "part"
    PLAYLIST = "playlist"
    RELOAD = "blocking reload"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """``playlist`` is the path of the source rendition's."""

    pid: int
    origin: str
    playlist: str

    @property
    def port(self) -> int:
        port = urlsplit(self.origin).port
        assert port is not None
        return port

    def read(self, path: str) -> bytes:
        """Raises LabError."""
        try:
            return _read(self.origin, path)
        except OSError as error:
            raise LabError(f"{path} cannot be read: {error}") from error

    def hot(self, kind: Kind) -> str:
        """The path of the newest there is that is complete, which stays in the window for some segments more."""
        if kind in (Kind.PLAYLIST, Kind.RELOAD):
            return self.playlist
        told = parse_media(self.read(self.playlist).decode(), self.playlist)
        newest = max(told.durations)
        if kind is Kind.SEGMENT:
            return f"{self.playlist.rpartition('/')[0]}/{newest}.m4s"
        # One of the middle: the first has the keyframe, and the last may be short.
        parts = [part.path for part in told.parts if part.position.msn == newest]
        return parts[len(parts) // 2]


@contextmanager
def on_air(directory: Path, clip: Path) -> Iterator[Broadcast]:
    """Ended with the block. Raises LabError."""
    with (
        serving(directory / "data", environment=SETTINGS) as server,
        publishing(clip, [server.create(STREAM)]),
    ):
        yield Broadcast(server.pid, server.http, _wait(server.http))


def _wait(origin: str) -> str:
    deadline = time.monotonic() + ON_AIR_S
    while time.monotonic() < deadline:
        try:
            path = parse_multivariant(_read(origin, MASTER).decode(), MASTER).video[0]
            if _is_hot(parse_media(_read(origin, path).decode(), path)):
                return path
        except (OSError, PlaylistError):
            pass
        time.sleep(0.5)
    raise LabError(f"there is nothing to ask for after {ON_AIR_S:.0f} s")


def _is_hot(playlist: MediaPlaylist) -> bool:
    return len(playlist.durations) >= SEGMENTS and bool(playlist.parts)


def _read(origin: str, path: str) -> bytes:
    with urllib.request.urlopen(f"{origin}{path}", timeout=10) as response:
        body: bytes = response.read()
    return body
