"""Integer time: ticks of a timescale, converted without drift."""

# Timescales: ticks per second.
MILLISECONDS = 1000
MICROSECONDS = 1_000_000
NANOSECONDS = 1_000_000_000


def rescale(ticks: int, from_timescale: int, to_timescale: int) -> int:
    """``ticks`` of one timescale in another, rounded half up (floor of x + 1/2, also below zero)."""
    return (2 * ticks * to_timescale + from_timescale) // (2 * from_timescale)
