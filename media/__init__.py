"""Shared by every part of Headwater: access units, time, codecs, names on the wire.

Pure values and pure functions: nothing here does I/O, reads a clock or imports another Headwater package.
"""
