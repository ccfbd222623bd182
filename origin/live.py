"""The live windows of every broadcast whose messages reach this origin over the bus."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from live.bus import Bus
from live.errors import WindowGap
from live.messages import BroadcastClosed, LiveMessage, PartFetched
from live.topics import FEEDBACK, MEDIA, BroadcastRef
from live.window import WAITED_FOR, LiveWindow
from live.window_snapshot import WindowSnapshot
from live.window_track import Position
from origin.backlog import Backlog
from packager.cmaf.segment_writer import Segment

log = structlog.get_logger("origin")

# Seconds for which a closed broadcast's parts are still served: players fetch the parts of its last playlists.
LINGER_S = 20.0


class Snapshots(Protocol):
    """Returns a snapshot of a broadcast's window for an origin that missed some messages; None if absent."""

    def __call__(self, stream: str, broadcast: str) -> WindowSnapshot | None: ...


def no_snapshots(stream: str, broadcast: str) -> None:
    """For a single node: every window receives every message."""


class LiveWindows:
    """Built from the messages of the topic ``MEDIA``.

    If the messages of a broadcast are incomplete, it has no window until ``snapshots`` returns a snapshot or
    :meth:`seed` is called with one. ``on_gap`` gets the stream each time that happens. A window is dropped when its
    broadcast is closed. Its parts in memory are served for another ``LINGER_S`` seconds.
    """

    def __init__(
        self,
        bus: Bus,
        snapshots: Snapshots = no_snapshots,
        *,
        on_gap: Callable[[str], None] = lambda stream: None,
    ) -> None:
        self._bus = bus
        self._snapshots = snapshots
        self._on_gap = on_gap
        self._windows: dict[str, LiveWindow] = {}
        self._backlogs: dict[str, Backlog] = {}
        self._newest: dict[str, str] = {}
        self._closed: dict[str, LiveWindow | None] = {}
        self._lingering: dict[str, asyncio.TimerHandle] = {}
        self._subscription = bus.subscribe(MEDIA, self._receive)

    def find(self, stream: str, broadcast: str) -> LiveWindow | None:
        window = self._windows.get(broadcast)
        return window if window is not None and window.stream == stream else None

    def just_closed(self, stream: str, broadcast: str) -> LiveWindow | None:
        window = self._closed.get(broadcast)
        return window if window is not None and window.stream == stream else None

    def newest(self, stream: str) -> LiveWindow | None:
        """The window of the stream's current broadcast."""
        broadcast = self._newest.get(stream)
        return self._windows.get(broadcast) if broadcast is not None else None

    def waiting(self) -> Mapping[str, int]:
        """The number of requests that wait for media, by what they wait for."""
        waiting = dict.fromkeys(WAITED_FOR, 0)
        for window in self._windows.values():
            for kind, count in window.waiting.items():
                waiting[kind] += count
        return waiting

    def is_awaited(self, broadcast: str) -> bool:
        """Whether the broadcast is live but its window waits for a snapshot."""
        return broadcast in self._backlogs

    def snapshot(self, stream: str, broadcast: str) -> WindowSnapshot | None:
        """A snapshot for another origin; None if this origin does not have the window."""
        window = self.find(stream, broadcast)
        return window.snapshot() if window is not None else None

    def seed(self, snapshot: WindowSnapshot) -> None:
        """Serve the broadcast from ``snapshot`` and the messages that arrived since it was taken."""
        broadcast = snapshot.broadcast
        if broadcast in self._closed:
            return
        window = LiveWindow.from_snapshot(snapshot)
        try:
            for message in self._backlogs.get(broadcast, ()):
                window.receive(message)
        except WindowGap as gap:
            log.info("a snapshot is too old", stream=snapshot.stream, broadcast=broadcast, reason=str(gap))
            return
        self._backlogs.pop(broadcast, None)
        replaced = self._windows.get(broadcast)
        self._add(window)
        if replaced is not None:
            replaced.abandon()

    def note_fetch(self, window: LiveWindow, track: str, position: Position) -> None:
        """Publish feedback when a part is fetched for the first time."""
        if window.is_first_fetch(track, position):
            fetched = PartFetched(track, position.msn, position.part or 0)
            self._bus.publish(FEEDBACK, BroadcastRef(window.stream, window.broadcast), fetched)

    def close(self) -> None:
        self._subscription.close()
        for timer in self._lingering.values():
            timer.cancel()

    def _receive(self, ref: BroadcastRef, message: LiveMessage) -> None:
        stream, broadcast = ref.stream, ref.broadcast
        if broadcast in self._closed:
            return
        if isinstance(message, BroadcastClosed):
            self._remove(stream, broadcast)
            return
        window = self._windows.get(broadcast)
        if window is None:
            backlog = self._backlogs.get(broadcast)
            if backlog is not None:
                backlog.add(message)
                if isinstance(message, Segment):
                    self._request_snapshot(stream, broadcast)
                return
            window = LiveWindow(stream, broadcast)
            self._add(window)
        try:
            window.receive(message)
        except WindowGap as gap:
            log.warning("a live window waits for a snapshot", stream=stream, broadcast=broadcast, reason=str(gap))
            self._on_gap(stream)
            del self._windows[broadcast]
            self._backlogs[broadcast] = Backlog()
            self._backlogs[broadcast].add(message)
            self._request_snapshot(stream, broadcast)
            window.abandon()

    def _request_snapshot(self, stream: str, broadcast: str) -> None:
        snapshot = self._snapshots(stream, broadcast)
        if snapshot is not None:
            self.seed(snapshot)

    def _add(self, window: LiveWindow) -> None:
        self._windows[window.broadcast] = window
        if self._newest.get(window.stream, "") < window.broadcast:
            self._newest[window.stream] = window.broadcast

    def _remove(self, stream: str, broadcast: str) -> None:
        self._backlogs.pop(broadcast, None)
        if self._newest.get(stream) == broadcast:
            del self._newest[stream]
        window = self._windows.pop(broadcast, None)
        self._closed[broadcast] = window if window is not None and window.low_latency is not None else None
        loop = asyncio.get_running_loop()
        self._lingering[broadcast] = loop.call_later(LINGER_S, self._forget, broadcast)

    def _forget(self, broadcast: str) -> None:
        del self._closed[broadcast], self._lingering[broadcast]
