"""Remux density: what it costs to take many broadcasts and to write them as segments, without encoding.

    python -m bench.density --publishers 10,50 --seconds 60 --rounds 2

Headwater with ``ladder = "source"`` writes HLS, low-latency HLS and DASH to its directory store; nginx with the
RTMP module writes HLS. They take turns, and everything runs on this machine. The processes of the server alone are
counted.
"""
