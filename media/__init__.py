"""Shared by all packages: access units, time, codecs, and the names of objects.

Pure values and functions: nothing here does I/O, reads a clock or imports another Headwater package.
"""
