"""The worker role: turns what a publisher sends into a broadcast, from the first frame to the closed playlists."""
