"""Computes the protocol version that a media playlist requires (draft-pantos-hls-rfc8216bis, section 8).

Multivariant playlists need no EXT-X-VERSION: none of their tags requires a version above 1.
"""

from collections.abc import Callable

from media.timescale import MICROSECONDS
from packager.hls.media import MediaPlaylist

REQUIREMENTS: tuple[tuple[int, Callable[[MediaPlaylist], bool]], ...] = (
    (9, lambda playlist: playlist.skipped_segments > 0),
    (6, lambda playlist: any(segment.map_uri is not None for segment in playlist.segments)),
    (6, lambda playlist: playlist.partial is not None and playlist.partial.map_uri is not None),
    (3, lambda playlist: any(segment.duration_us % MICROSECONDS for segment in playlist.segments)),
)
"""Versions with the condition that requires them, highest first; the first match applies."""


def required_version(playlist: MediaPlaylist) -> int:
    """The lowest version that is compatible with ``playlist``."""
    return next((version for version, required in REQUIREMENTS if required(playlist)), 1)
