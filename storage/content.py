"""Content-Type and Cache-Control of an object, from its key alone: the stores and the origin say the same.

Types: RFC 8216, 4 (playlists); ISO/IEC 23009-1, annex C (manifests, segments); RFC 4337 (init segments).
Caching: a name is never reused for other bytes, except the playlists' and manifests'.
"""

IMMUTABLE = "public, max-age=31536000, immutable"
SHORT = "public, max-age=1"
"""Half of the shortest usual target duration: a player that polls is at most that much behind."""
PRIVATE = "private, no-store"
"""The catalogue: nothing of it is for viewers or caches."""

DEFAULT_TYPE = "application/octet-stream"

_CATALOGUE = "catalogue/"
_TYPES = {
    "m3u8": "application/vnd.apple.mpegurl",
    "mpd": "application/dash+xml",
    "mp4": "video/mp4",
    "m4s": "video/iso.segment",
    "json": "application/json",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
}
_MEDIA = frozenset({"mp4", "m4s"})


def content_type(key: str) -> str:
    return _TYPES.get(_extension(key), DEFAULT_TYPE)


def cache_control(key: str) -> str:
    if key.startswith(_CATALOGUE):
        return PRIVATE
    return IMMUTABLE if is_immutable(key) else SHORT


def is_immutable(key: str) -> bool:
    """Whether the object, once there, keeps its bytes for ever: init segments, segments and parts."""
    return _extension(key) in _MEDIA


def _extension(key: str) -> str:
    return key.rpartition("/")[2].rpartition(".")[2].lower()
