"""Decides which playlist and media a viewer of one rendition requests. No I/O, no clock.

Rules of draft-pantos-hls-rfc8216bis, 6.2.5 (delivery directives) and 6.3 (client).
"""

from collections import deque

from tests.lab.viewers.playlist import MediaPlaylist, Part, Position


class Follower:
    """Fed every playlist of its rendition, it decides what to request next.

    ``expected`` is the last position of this playlist according to a rendition report; ``resume`` is the position
    that playback reached in the previous rendition.
    """

    def __init__(self, path: str, *, expected: Position | None = None, resume: Position | None = None) -> None:
        self.path = path
        self.misled = 0
        self.map_path: str | None = None
        self._expected = expected
        self._resume = resume
        self._newest: MediaPlaylist | None = None
        self._received_us = 0
        self._edge: Position | None = None
        self._waiting: deque[str] = deque()
        self._hinted: str | None = None

    def reload_path(self, now_us: int) -> str:
        """The playlist's path; if the server supports blocking reload, its query names the next part."""
        newest = self._newest
        if newest is None:
            return self.path if self._expected is None else self.path + _query(self._expected)
        if not newest.can_block or self._edge is None:
            return self.path
        return self.path + _query(self._edge, skip=self._may_skip(newest, now_us))

    def take(self, playlist: MediaPlaylist, now_us: int) -> list[Part]:
        """The parts of ``playlist`` that are new to this viewer; all of them for the first playlist."""
        self._newest, self._received_us = playlist, now_us
        self.map_path = playlist.map_path or self.map_path
        if self._edge is None:
            new = list(playlist.parts)
            start = self._start(playlist)
            self._waiting.extend(part.path for part in new if part.position >= start)
        else:
            edge = self._edge
            new = [part for part in playlist.parts if part.position >= edge]
            self._queue(new)
        self._edge = max(self._edge or playlist.next, playlist.next)
        return new

    def next_part(self) -> str | None:
        """The path of the next listed part, else of the hinted one; None if there is neither until a reload."""
        if self._waiting:
            return self._waiting.popleft()
        hint = self._newest.hint if self._newest is not None else None
        if hint is None or hint == self._hinted:
            return None
        self._hinted = hint
        return hint

    def report_on(self, path: str) -> Position | None:
        """The last position of the playlist ``path``, according to this playlist's rendition report."""
        return self._newest.reports.get(path) if self._newest is not None else None

    @property
    def hinted(self) -> str | None:
        """The hint that was requested and is not listed yet."""
        return self._hinted

    @property
    def reached(self) -> Position | None:
        return self._edge

    @property
    def ended(self) -> bool:
        return self._newest is not None and self._newest.ended and not self._waiting

    def _queue(self, new: list[Part]) -> None:
        if not new:
            return
        hinted, self._hinted = self._hinted, None
        if hinted is not None and hinted != new[0].path:
            self.misled += 1
        self._waiting.extend(part.path for part in new if part.path != hinted)

    def _start(self, playlist: MediaPlaylist) -> Position:
        """The newest independent part PART-HOLD-BACK from the end (6.3.3), or not after the playback position."""
        start, ahead_us = playlist.next, 0
        for part in reversed(playlist.parts):
            ahead_us += part.duration_us
            start = part.position
            far_enough = ahead_us >= playlist.part_hold_back_us if self._resume is None else start <= self._resume
            if far_enough and part.independent:
                break
        return start

    def _may_skip(self, newest: MediaPlaylist, now_us: int) -> bool:
        """A delta update needs a playlist no older than half the skip boundary (6.2.5.1)."""
        until = newest.can_skip_until_us
        return until is not None and 2 * (now_us - self._received_us) <= until


def _query(position: Position, *, skip: bool = False) -> str:
    return f"?_HLS_msn={position.msn}&_HLS_part={position.part}" + ("&_HLS_skip=YES" if skip else "")
