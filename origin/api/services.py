"""The API's dependencies, which the composition of the origin provides."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cluster.interface import Cluster
from origin.playback.keys import PlaybackKeys
from storage.catalogue import Catalogue


def _ignore_key(stream: str, key: str | None) -> None:
    pass


@dataclass(frozen=True, slots=True)
class ApiServices:
    """``rtmp_url`` is the Server line for OBS; ``public_url`` is the origin's, without a slash at its end.

    ``playback_keys`` returns the keys that sign viewers' tokens, ``clock`` Unix seconds and ``monotonic`` monotonic
    seconds. ``on_key`` receives a stream's new key, and None when the stream is deleted.
    """

    cluster: Cluster
    catalogue: Catalogue
    token: str = field(repr=False)
    rtmp_url: str
    public_url: str
    playback_keys: Callable[[], Awaitable[PlaybackKeys]]
    clock: Callable[[], float]
    monotonic: Callable[[], float] = time.monotonic
    on_key: Callable[[str, str | None], None] = _ignore_key

    def watch_url(self, stream: str) -> str:
        return f"{self.public_url}/watch/{stream}"
