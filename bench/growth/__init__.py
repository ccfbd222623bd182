"""What grows: memory and CPU of a server over an hour of constant load, and of a broadcast with its DVR window.

    python -m bench.growth --minutes 60 --publishers 4

Twelve hours of a broadcast are fed, much faster than they pass, to the packager, the publisher and the live window
of this process, with a clock that they are told.
"""
