"""A generator of bad publishers, and an oracle that judges what viewers get from them.

A seed chooses one to three bends. Each bend changes the timestamps, the order, the framing, the metadata or the
units of a good FLV stream, or the way in which the publisher leaves. The bent stream is published in real time to a
real server, beside a good stream. The oracle reads the recording: it must play with its pictures in order, or the
broadcaster must have got a warning or a refusal in words.
"""
