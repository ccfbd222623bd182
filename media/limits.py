"""Limits that several packages share."""

# The largest picture of level 5.2 (ITU-T H.264, Table A-1): 36 864 macroblocks, as in 4096x2304.
MAX_PIXELS = 4096 * 2304

# Seconds that a server which is taken out of service waits for its broadcasts to end.
DEFAULT_GRACE_S = 600.0
LONGEST_GRACE_S = 7 * 86_400.0
