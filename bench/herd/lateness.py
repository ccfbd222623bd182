"""The lateness of parts."""

from collections.abc import Mapping, Sequence

from tests.lab.viewers.record import Record


def made_times(probe: Record, viewers: Record) -> dict[str, float]:
    """For each part that the probe's playlists listed: when the first client had it, or the probe had a playlist
    that lists it, whichever was first."""
    made: dict[str, float] = {}
    for path, listed in probe.listed.items():
        made[path] = min([listed, *probe.arrivals.get(path, ())[1::2], *viewers.arrivals.get(path, ())[1::2]])
    return made


def lateness(arrivals: Mapping[str, Sequence[float]], made: Mapping[str, float]) -> list[float]:
    """Seconds, for every arrival of a part that was made while its viewer followed the rendition."""
    late = []
    for path, moments in arrivals.items():
        moment_made = made.get(path)
        # A hinted part that was never made is in no playlist.
        if moment_made is not None:
            pairs = zip(moments[::2], moments[1::2], strict=True)
            late += [last_byte - moment_made for since, last_byte in pairs if since <= moment_made]
    return late
