"""What the API stands on, given by whoever composes the origin."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from live.bus_interface import Bus
from origin.playback.keys import PlaybackKeys
from storage.catalogue import Catalogue


def _nobody_keeps_it(stream: str, key: str | None) -> None:
    pass


@dataclass(frozen=True, slots=True)
class ApiServices:
    """``rtmp_url`` is the Server line for OBS; ``public_url`` is the origin's, without a slash at its end;
    ``playback_keys`` gives what viewers' tokens are signed with; ``clock`` gives Unix seconds, ``monotonic``
    seconds that never go back. ``on_key`` receives a stream's new key, and None if the stream is deleted."""

    bus: Bus
    catalogue: Catalogue
    token: str = field(repr=False)
    rtmp_url: str
    public_url: str
    playback_keys: Callable[[], Awaitable[PlaybackKeys]]
    clock: Callable[[], float]
    monotonic: Callable[[], float] = time.monotonic
    on_key: Callable[[str, str | None], None] = _nobody_keeps_it

    def watch_url(self, stream: str) -> str:
        return f"{self.public_url}/watch/{stream}"
