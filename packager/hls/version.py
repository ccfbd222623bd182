"""The lowest protocol version that says what a media playlist says (draft-pantos-hls-rfc8216bis, section 8).

Nothing in our multivariant playlists is incompatible with version 1, so those name none.
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
"""Highest version first; the first that holds is the playlist's."""


def required_version(playlist: MediaPlaylist) -> int:
    return next((version for version, needed in REQUIREMENTS if needed(playlist)), 1)
