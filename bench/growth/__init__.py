"""What grows: memory and CPU of a server over an hour of constant load, and of a broadcast with its DVR window.

    python -m bench.growth --minutes 60 --publishers 4

A broadcast of twelve hours is fed, much faster than real time, to the packager, the recorder and the live window of
this process, whose clock is set by hand.
"""
