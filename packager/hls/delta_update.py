"""Playlist delta updates (draft-pantos-hls-rfc8216bis, 4.4.5.2 and 6.2.5.1)."""

from dataclasses import replace

from packager.hls.media import MediaPlaylist


def delta(playlist: MediaPlaylist, skip_until_us: int) -> MediaPlaylist:
    """``playlist`` with EXT-X-SKIP in place of the segments that end ``skip_until_us`` or more before its end.

    Returns ``playlist`` itself if no segment can be skipped. ``skip_until_us`` is the CAN-SKIP-UNTIL of its
    EXT-X-SERVER-CONTROL: at least six target durations.
    """
    distance = sum(part.duration_us for part in playlist.partial.parts) if playlist.partial is not None else 0
    kept = 0
    for segment in reversed(playlist.segments):
        if distance >= skip_until_us:
            break
        distance += segment.duration_us
        kept += 1
    skipped = len(playlist.segments) - kept
    if skipped == 0:
        return playlist
    return replace(
        playlist,
        segments=playlist.segments[skipped:],
        skipped_segments=playlist.skipped_segments + skipped,
    )
