"""Delay: the time from sending the last byte of a part's last frame until a waiting viewer has received the part.

    python -m bench.delay --streams 1,10,50 --encoded 1 --seconds 60 --rounds 2

The viewers use low-latency HLS: each keeps a blocking playlist reload and a request for the hinted part open, and
is answered when the part exists. They share one process, which follows a few of the streams. The time at which the
publisher's socket had accepted the frame is used as the time at which the server received it. All times are read
from this machine's monotonic clock.
"""
