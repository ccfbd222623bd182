"""Ladder cost: the cost and quality of renditions, compared with one ffmpeg command.

    python -m bench.ladder --seconds 40 --rounds 2

Headwater receives a 720p30 broadcast over RTMP and encodes it at 480p, 360p and 240p, with everything else that it
does for a broadcast (HLS, low-latency HLS, DASH, thumbnails, the directory store). ffmpeg reads the same clip in
real time and makes the same renditions and a copy of the source as HLS. They take turns, and everything runs on
this machine. Then the pictures of both are compared with the source's, frame by frame.
"""
