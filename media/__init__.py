"""What every part of Headwater shares: access units, time, codec configuration, names on the wire.

Pure values and pure functions: nothing here does I/O, reads a clock or imports another Headwater package.
"""
