"""Remux density: the cost of receiving many broadcasts and writing them as segments, without transcoding.

    python -m bench.density --publishers 10,50 --seconds 60 --rounds 2

The servers take turns on this machine. Only the server's processes are counted.
"""
