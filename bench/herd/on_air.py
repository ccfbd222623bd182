"""The stream that the herd watches, and when there is something to watch."""

import time
import urllib.request
from urllib.parse import urljoin

from tests.lab.errors import LabError
from tests.lab.viewers.playlist import PlaylistError, parse_media, parse_multivariant

STREAM = "herd"
MASTER = f"/live/{STREAM}/master.m3u8"
ON_AIR_S = 40.0


def wait_on_air(origin: str) -> int:
    """How many video renditions there are, once each playlist of the stream names parts. Raises LabError."""
    deadline = time.monotonic() + ON_AIR_S
    trouble = ""
    while time.monotonic() < deadline:
        try:
            master = parse_multivariant(_text(origin, MASTER), MASTER)
            paths = (*master.video, *([master.audio] if master.audio else []))
            if all(parse_media(_text(origin, path), path).parts for path in paths):
                return len(master.video)
            trouble = "its playlists name no parts: is low latency on?"
        except (OSError, PlaylistError) as error:
            trouble = str(error)
        time.sleep(0.5)
    raise LabError(f"nothing to watch after {ON_AIR_S:.0f} s: {trouble}")


def _text(origin: str, path: str) -> str:
    with urllib.request.urlopen(urljoin(origin, path), timeout=10) as response:
        body: bytes = response.read()
    return body.decode()
