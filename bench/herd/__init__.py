"""The herd: many low-latency HLS viewers of one stream, behind the caches or directly at the origin.

    python -m bench.herd --viewers 500 --seconds 180 --via nginx

Server, caches, broadcaster and viewers run on this machine and share its processors.

A part's lateness is the time from when it was made until a viewer has its last byte. A part counts as made when the
first client has received it, or when the probe has received a playlist that lists it. The probe is a separate
process that follows every track directly at the origin, over one connection for playlists and one for hinted parts.
Parts made before a viewer switched to their rendition are not counted. All others are, so that a viewer who falls
behind is noticed.
"""
