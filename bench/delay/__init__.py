"""Delay: from sending the last byte of a part's last frame to the part at a viewer that waits for it.

    python -m bench.delay --streams 1,10,50 --encoded 1 --seconds 60 --rounds 2

The viewers are of low-latency HLS: each has a blocking playlist reload and a request for the hinted part open, and
is answered when the part is there. They share one process, which follows a few of the streams. The moment at which
the system had taken the frame from the publisher stands for the one at which the server received it. Both are read
from this machine's monotonic clock.
"""
