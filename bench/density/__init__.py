"""Remux density: what it costs to take many broadcasts and to write them as segments, without encoding.

    python -m bench.density --publishers 10,50 --seconds 60 --rounds 2

The servers take turns on this machine. Only the processes of the server are counted.
"""
