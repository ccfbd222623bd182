"""Ladder cost: what renditions cost, and how good they are, against one ffmpeg command.

    python -m bench.ladder --seconds 40 --rounds 2

Headwater takes a 720p30 broadcast over RTMP and makes 480p, 360p and 240p of it, with all else it does for a
broadcast (HLS, low-latency HLS, DASH, thumbnails, the directory store). ffmpeg reads the same clip at the same pace
and makes the same renditions and the same copies as HLS. They take turns, and everything runs on this machine. Then
the pictures of both are compared with the source's, frame by frame.
"""
