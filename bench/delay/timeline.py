"""The positions of parts in the broadcast, from the durations in a rendition's playlists."""

from tests.lab.viewers.playlist import MediaPlaylist, Position


class Timeline:
    """Fed all playlists of one rendition; the first has to list the beginning of the broadcast."""

    def __init__(self) -> None:
        self._segments: dict[int, int] = {}
        self._parts: dict[int, dict[int, int]] = {}
        self._positions: dict[str, Position] = {}

    def take(self, playlist: MediaPlaylist) -> None:
        self._segments.update(playlist.durations)
        for part in playlist.parts:
            msn, index = part.position
            self._parts.setdefault(msn, {})[index] = part.duration_us
            self._positions[part.path] = part.position

    def ends(self) -> dict[str, int]:
        """For each part, the microseconds from the beginning of the broadcast to the part's end, if known."""
        starts = self._starts()
        found = {}
        for path, (msn, index) in self._positions.items():
            before = [self._parts[msn].get(place) for place in range(index + 1)]
            known = [duration for duration in before if duration is not None]
            if msn in starts and len(known) == len(before):
                found[path] = starts[msn] + sum(known)
        return found

    def _starts(self) -> dict[int, int]:
        """The start of each segment, and of the one that follows the last."""
        starts: dict[int, int] = {}
        begun = 0
        msn = min((*self._segments, *self._parts), default=0)
        while msn in self._segments:
            starts[msn] = begun
            begun += self._segments[msn]
            msn += 1
        starts[msn] = begun
        return starts
