"""The live windows of every broadcast this origin hears of on the bus."""

import asyncio

from live.bus_interface import Bus
from live.messages import BroadcastChanged, BroadcastClosed, LiveMessage, PartFetched, subject
from live.window import LiveWindow
from live.window_track import Position

# Seconds for which the parts of a broadcast that is over are still there: players fetch what they were told of.
LINGER_S = 20.0


class LiveWindows:
    """Built from ``media.>`` alone. A window is dropped when all of its broadcast is in the store; its parts, which
    the store does not have, stay for a little longer."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._windows: dict[str, LiveWindow] = {}
        self._newest: dict[str, LiveWindow] = {}
        self._closed: dict[str, LiveWindow] = {}
        self._lingering: dict[str, asyncio.TimerHandle] = {}
        self._subscription = bus.subscribe("media.>", self._receive)

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
        """Tell the worker when a part has its first viewer."""
        if window.is_first_fetch(track, position):
            fetched = PartFetched(track, position.msn, position.part or 0)
            self._bus.publish(subject(window.stream, window.broadcast), fetched)

    def close(self) -> None:
        self._subscription.close()
        for timer in self._lingering.values():
            timer.cancel()

    def _receive(self, topic: str, message: object) -> None:
        _, stream, broadcast = topic.split(".")
        window = self._windows.get(broadcast)
        if window is None:
            if not isinstance(message, BroadcastChanged):
                return
            window = self._windows[broadcast] = LiveWindow(stream, broadcast)
            newest = self._newest.get(stream)
            if newest is None or newest.broadcast < broadcast:
                self._newest[stream] = window
        assert isinstance(message, LiveMessage)
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
