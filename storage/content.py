"""Content-Type and Cache-Control of an object. Both depend only on its key, in the stores and in the origin.

Types: RFC 8216, 4 (playlists); ISO/IEC 23009-1, annex C (manifests, segments); RFC 4337 (init segments).
Caching: only the names of playlists and manifests are reused for other bytes.
"""

IMMUTABLE = "public, max-age=31536000, immutable"
SHORT = "public, max-age=1"
"""For playlists and manifests: half of a short target duration, which limits the delay of players that poll."""
PRIVATE = "private, no-store"
"""For the catalogue, which neither viewers nor caches may read."""

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
    """Whether the object never changes: init segments, segments and parts."""
    return _extension(key) in _MEDIA


def _extension(key: str) -> str:
    return key.rpartition("/")[2].rpartition(".")[2].lower()
