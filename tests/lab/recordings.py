"""Broadcasts in the directory store."""

from pathlib import Path

import m3u8


def tracks(folder: Path) -> dict[str, bytes]:
    """Each track's media in a broadcast's ``folder``, joined as a player would join them."""
    media = {}
    for playlist_file in sorted(folder.glob("*/media.m3u8")):
        playlist = m3u8.loads(playlist_file.read_text())
        data = (playlist_file.parent / str(playlist.segment_map[0].uri)).read_bytes()
        data += b"".join((playlist_file.parent / str(segment.uri)).read_bytes() for segment in playlist.segments)
        media[playlist_file.parent.name] = data
    return media
