"""Paths under ``live/``: masters, manifests, media playlists, init segments, segments and parts."""

import re
from dataclasses import dataclass
from enum import Enum

from media.names import BROADCAST_ID, MANIFEST, MASTER_PLAYLIST, MEDIA_PLAYLIST, RECORDING_PLAYLIST, STREAM_NAME

# No segment's number is longer, and the limit keeps int() cheap.
NUMBER = r"(?:0|[1-9][0-9]{0,11})"
TRACK_NAME = re.compile(r"[a-z0-9]{1,32}")
INIT = re.compile(rf"init-({NUMBER})\.mp4")
SEGMENT = re.compile(rf"({NUMBER})\.m4s")
PART = re.compile(rf"({NUMBER})\.({NUMBER})\.m4s")


class Resource(Enum):
    """The kinds of files under ``live/``. The values are labels of metrics."""

    MASTER = "master"
    MANIFEST = "manifest"
    PLAYLIST = "playlist"
    RECORDING = "recording"
    INIT = "init"
    SEGMENT = "segment"
    PART = "part"


@dataclass(frozen=True, slots=True)
class LivePath:
    """``key`` is the object key. ``broadcast`` is None for the stream's current broadcast; ``number`` is that of an
    init segment, or the MSN."""

    key: str
    resource: Resource
    stream: str
    broadcast: str | None = None
    track: str = ""
    number: int = 0
    part: int = 0

    @property
    def is_media(self) -> bool:
        """Whether the name is never reused for other bytes."""
        return self.resource in (Resource.INIT, Resource.SEGMENT, Resource.PART)


def parse_live_path(path: str) -> LivePath | None:
    """Parse the part of a path after ``live/``; None if it is not a valid name."""
    stream, *rest = path.split("/")
    if not STREAM_NAME.fullmatch(stream) or not rest:
        return None
    key = f"live/{path}"
    if len(rest) == 1:
        resource = _manifest(rest[0])
        return LivePath(key, resource, stream) if resource else None
    broadcast, *rest = rest
    if not BROADCAST_ID.fullmatch(broadcast):
        return None
    if len(rest) == 1:
        resource = _manifest(rest[0])
        return LivePath(key, resource, stream, broadcast) if resource else None
    if len(rest) != 2 or not TRACK_NAME.fullmatch(rest[0]):
        return None
    return _track_path(key, stream, broadcast, *rest)


def _manifest(name: str) -> Resource | None:
    return {MASTER_PLAYLIST: Resource.MASTER, MANIFEST: Resource.MANIFEST}.get(name)


def _track_path(key: str, stream: str, broadcast: str, track: str, name: str) -> LivePath | None:
    if name == MEDIA_PLAYLIST:
        return LivePath(key, Resource.PLAYLIST, stream, broadcast, track)
    if name == RECORDING_PLAYLIST:
        return LivePath(key, Resource.RECORDING, stream, broadcast, track)
    if match := INIT.fullmatch(name):
        return LivePath(key, Resource.INIT, stream, broadcast, track, int(match[1]))
    if match := SEGMENT.fullmatch(name):
        return LivePath(key, Resource.SEGMENT, stream, broadcast, track, int(match[1]))
    if match := PART.fullmatch(name):
        return LivePath(key, Resource.PART, stream, broadcast, track, int(match[1]), int(match[2]))
    return None
