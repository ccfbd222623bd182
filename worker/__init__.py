"""The worker role: turns a publisher's media into a broadcast, from the first frame to the final playlists."""
