"""Origin: how many hot segments, parts and playlists a CPU second serves, and how many blocking reloads.

    python -m bench.origin --rounds 6

Headwater's origin alone, nginx with the same bytes as plain files, and Headwater behind the caches of docker/ take
turns, while one broadcast goes on. The load is made by wrk where it is installed (Debian: apt-get install wrk), or
by a client of our own, and always by that one where requests wait. What counts is the servers' CPU time.
"""
