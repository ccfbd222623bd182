"""The live windows of every broadcast this origin hears of on the bus."""

from bus import Bus
from packager.messages import BroadcastChanged, BroadcastClosed, LiveMessage, PartFetched, subject
from packager.window import LiveWindow
from packager.window_track import Position


class LiveWindows:
    """Built from ``media.>`` alone. A window is dropped when all of its broadcast is in the store."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._windows: dict[str, LiveWindow] = {}
        self._newest: dict[str, LiveWindow] = {}
        self._subscription = bus.subscribe("media.>", self._receive)

    def find(self, stream: str, broadcast: str) -> LiveWindow | None:
        window = self._windows.get(broadcast)
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
