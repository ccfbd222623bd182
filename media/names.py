"""The names of objects: each is both the object key and the URL path.

Only the names of playlists and manifests are reused for other bytes.
"""

import re
from datetime import UTC, datetime

STREAM_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
BROADCAST_ID = re.compile(r"[0-9]{8}t[0-9]{6}z-[0-9a-f]{6}")

MASTER_PLAYLIST = "master.m3u8"
MANIFEST = "manifest.mpd"
MEDIA_PLAYLIST = "media.m3u8"
# The same track on demand. It has a name of its own because its numbers begin with 0, and a player of the live
# playlist must not see numbers change.
RECORDING_PLAYLIST = "recording.m3u8"

# The number of a broadcast's first segment. If it is 0, hls.js loses track of the segment's parts, and reloads the
# last one until the next segment begins (FragmentTracker.detectEvictedFragments, 1.7.4).
FIRST_MSN = 1


def stream_prefix(stream: str) -> str:
    return f"live/{stream}"


def broadcast_prefix(stream: str, broadcast: str) -> str:
    return f"live/{stream}/{broadcast}"


def track_prefix(stream: str, broadcast: str, track: str) -> str:
    return f"live/{stream}/{broadcast}/{track}"


def init_name(number: int) -> str:
    return f"init-{number}.mp4"


def segment_name(msn: int) -> str:
    return f"{msn}.m4s"


def part_name(msn: int, part: int) -> str:
    return f"{msn}.{part}.m4s"


def new_broadcast_id(now: float, entropy: bytes) -> str:
    """An id that sorts by time. ``now`` is seconds since the Unix epoch; 3 bytes of ``entropy`` are used."""
    moment = datetime.fromtimestamp(now, UTC)
    return f"{moment:%Y%m%dt%H%M%Sz}-{entropy[:3].hex()}"


def is_broadcast_id(text: str) -> bool:
    return BROADCAST_ID.fullmatch(text) is not None


def is_stream_name(name: str) -> bool:
    """Whether ``name`` is a DNS label (RFC 1123, 2.1): 1 to 63 lower-case letters, digits and inner hyphens."""
    return STREAM_NAME.fullmatch(name) is not None
