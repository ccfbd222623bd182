"""The broadcast that all servers of the section serve, and the paths of its newest media."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from tests.lab.errors import LabError
from tests.lab.rtmp.publishers import publishing
from tests.lab.server import serving
from tests.lab.viewers.on_air import read, wait_on_air
from tests.lab.viewers.playlist import parse_media

STREAM = "origin"
SETTINGS = {"HEADWATER_TRANSCODER__LADDER": "source"}
SEGMENTS = 2


class Kind(Enum):
    """The kind of request."""

    SEGMENT = "segment"
    PART = "part"
    PLAYLIST = "playlist"
    RELOAD = "blocking reload"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """``playlist`` is the path of the source rendition's media playlist."""

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
            return read(self.origin, path)
        except OSError as error:
            raise LabError(f"{path} cannot be read: {error}") from error

    def hot(self, kind: Kind) -> str:
        """The path of the newest complete one, which stays in the window for a few more segments."""
        if kind in (Kind.PLAYLIST, Kind.RELOAD):
            return self.playlist
        playlist = parse_media(self.read(self.playlist).decode(), self.playlist)
        newest = max(playlist.durations)
        if kind is Kind.SEGMENT:
            return f"{self.playlist.rpartition('/')[0]}/{newest}.m4s"
        # From the middle: the first part has the keyframe, and the last may be short.
        parts = [part.path for part in playlist.parts if part.position.msn == newest]
        return parts[len(parts) // 2]


@contextmanager
def on_air(directory: Path, clip: Path) -> Iterator[Broadcast]:
    """A broadcast that ends with the block. Raises LabError."""
    with (
        serving(directory / "data", environment=SETTINGS) as server,
        publishing(clip, [server.create(STREAM)]),
    ):
        master = wait_on_air(server.http, STREAM, segments=SEGMENTS)
        yield Broadcast(server.pid, server.http, master.video[0])
