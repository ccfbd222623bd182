"""Waiting until a stream can be watched at low latency."""

import time
import urllib.request
from urllib.parse import urljoin

from tests.lab.errors import LabError
from tests.lab.viewers.playlist import (
    MediaPlaylist,
    MultivariantPlaylist,
    PlaylistError,
    parse_media,
    parse_multivariant,
)

ON_AIR_S = 40.0
LOOK_EVERY_S = 0.5
REQUEST_TIMEOUT_S = 10


def wait_on_air(origin: str, stream: str, *, segments: int = 0) -> MultivariantPlaylist:
    """The multivariant playlist, once each media playlist lists parts and at least ``segments`` complete segments.

    Raises LabError.
    """
    path = f"/live/{stream}/master.m3u8"
    deadline = time.monotonic() + ON_AIR_S
    trouble = ""
    while time.monotonic() < deadline:
        try:
            master = parse_multivariant(read(origin, path).decode(), path)
            playlists = [read_media(origin, each) for each in (*master.video, *filter(None, (master.audio,)))]
            if all(each.parts and len(each.durations) >= segments for each in playlists):
                return master
            trouble = "its playlists name no parts: is low latency on?"
        except (OSError, PlaylistError) as error:
            trouble = str(error)
        time.sleep(LOOK_EVERY_S)
    raise LabError(f"{stream} cannot be watched after {ON_AIR_S:.0f} s: {trouble}")


def read_media(origin: str, path: str) -> MediaPlaylist:
    """Raises OSError, PlaylistError."""
    return parse_media(read(origin, path).decode(), path)


def read(origin: str, path: str) -> bytes:
    """Raises OSError."""
    with urllib.request.urlopen(urljoin(origin, path), timeout=REQUEST_TIMEOUT_S) as response:
        body: bytes = response.read()
    return body
