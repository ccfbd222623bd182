"""Growth: memory and CPU of a server over an hour of constant load, and of a broadcast by its DVR window.

    python -m bench.growth --minutes 60 --publishers 4

A broadcast of twelve hours is fed, much faster than real time, to the packager, the recorder and the live window in
this process, with a simulated clock.
"""
