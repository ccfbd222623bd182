"""The live windows of every broadcast whose messages reach this origin's bus."""

import asyncio

from live.bus import Bus
from live.messages import BroadcastChanged, BroadcastClosed, LiveMessage, PartFetched
from live.topics import FEEDBACK, MEDIA, BroadcastRef
from live.window import LiveWindow
from live.window_track import Position

# Seconds for which the parts of a broadcast that is over are still there: players fetch what they were told of.
LINGER_S = 20.0


class LiveWindows:
    """Built from the topic ``MEDIA`` alone. A window is dropped when its whole broadcast is in the store; its
    parts, which the store does not have, stay for a little longer."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._windows: dict[str, LiveWindow] = {}
        self._newest: dict[str, LiveWindow] = {}
        self._closed: dict[str, LiveWindow] = {}
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
        return self._newest.get(stream)

    def note_fetch(self, window: LiveWindow, track: str, position: Position) -> None:
        """Notify the worker when a viewer requests a part for the first time."""
        if window.is_first_fetch(track, position):
            fetched = PartFetched(track, position.msn, position.part or 0)
            self._bus.publish(FEEDBACK, BroadcastRef(window.stream, window.broadcast), fetched)

    def close(self) -> None:
        self._subscription.close()
        for timer in self._lingering.values():
            timer.cancel()

    def _receive(self, ref: BroadcastRef, message: LiveMessage) -> None:
        stream, broadcast = ref.stream, ref.broadcast
        window = self._windows.get(broadcast)
        if window is None:
            if not isinstance(message, BroadcastChanged):
                return
            window = self._windows[broadcast] = LiveWindow(stream, broadcast)
            newest = self._newest.get(stream)
            if newest is None or newest.broadcast < broadcast:
                self._newest[stream] = window
        window.receive(message)
        if isinstance(message, BroadcastClosed):
            del self._windows[broadcast]
            if self._newest.get(stream) is window:
                del self._newest[stream]
            self._linger(window)

    def _linger(self, window: LiveWindow) -> None:
        if window.low_latency is None:
            return
        self._closed[window.broadcast] = window
        loop = asyncio.get_running_loop()
        self._lingering[window.broadcast] = loop.call_later(LINGER_S, self._forget, window.broadcast)

    def _forget(self, broadcast: str) -> None:
        del self._closed[broadcast], self._lingering[broadcast]
