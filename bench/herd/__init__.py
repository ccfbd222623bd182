"""The herd: many low-latency HLS viewers of one stream, through the cache or at the origin.

    python -m bench.herd --viewers 500 --seconds 180 --via nginx

Server, caches, broadcaster and viewers all run on this machine, and share its processors.

A part's lateness is the time from its being made to its last byte at a viewer. A part counts as made at the first
moment that any client had it, or that the probe had a playlist naming it. The probe follows every track at the
origin itself, over one connection for playlists and one for hinted parts, from a process of its own. Parts made
before a viewer came to their rendition are not counted. All others are, so that a viewer who falls behind is seen.
"""
