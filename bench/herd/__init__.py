"""The herd: many low-latency HLS viewers of one stream, through the cache or at the origin.

    python -m bench.herd --viewers 500 --seconds 180 --via nginx

It starts all that takes part on this machine (server, cache, broadcaster, viewers), so what it measures is all of
them sharing its processors.

A part's lateness is the time from its being made to its last byte at a viewer. A part counts as made at the first
moment that anybody had it, or that the probe had a playlist naming it. The probe asks the origin itself for every
track, over one connection for its playlist and one for its hinted parts, from a process that does little else.
Parts made before a viewer came to their rendition are not counted; all others are, so that a viewer who falls
behind shows.
"""
