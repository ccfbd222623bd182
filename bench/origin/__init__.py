"""Origin: how many recent segments, parts, playlists and blocking reloads the servers answer per CPU second.

    python -m bench.origin --rounds 6

Headwater's origin alone, nginx with the same bytes as plain files, and Headwater behind the caches of docker/ take
turns during one broadcast. The load comes from wrk if it is installed (Debian: apt-get install wrk), otherwise from
our own client, which also makes all requests that wait. The figure of merit is the servers' CPU time.
"""
