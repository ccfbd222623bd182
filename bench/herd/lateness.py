"""How late parts were."""

from collections.abc import Mapping, Sequence

from tests.lab.viewers.record import Record


def made_times(probe: Record, viewers: Record) -> dict[str, float]:
    """The first moment that anybody had a part, or the probe a playlist naming it, of the parts that the
    probe's playlists listed."""
    made: dict[str, float] = {}
    for path, listed in probe.listed.items():
        made[path] = min([listed, *probe.arrivals.get(path, ())[1::2], *viewers.arrivals.get(path, ())[1::2]])
    return made


def lateness(arrivals: Mapping[str, Sequence[float]], made: Mapping[str, float]) -> list[float]:
    """Seconds, of every arrival of a part that was made while its viewer was there."""
    late = []
    for path, moments in arrivals.items():
        moment_made = made.get(path)
        # No playlist names what a hint promised in vain.
        if moment_made is not None:
            pairs = zip(moments[::2], moments[1::2], strict=True)
            late += [last_byte - moment_made for since, last_byte in pairs if since <= moment_made]
    return late
