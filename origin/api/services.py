"""The API's dependencies, which the composition of the origin provides."""

import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from cluster.interface import Cluster
from origin.api.auth import Authenticator
from origin.api.cmcd import ReportIntake
from origin.api.models import Draining, Reloaded
from origin.playback.keys import PlaybackKeys
from storage.audit import AuditLog
from storage.catalogue import Catalogue
from storage.hooks.deliveries import Delivery
from storage.hooks.log import Attempt
from storage.hooks.registry import Hook
from storage.keeping import Keeper


@dataclass(frozen=True, slots=True)
class HookStatus:
    """``pending`` and ``dead`` are how many messages wait, and how many failed for good."""

    hook: Hook
    pending: int
    dead: int


class Hooks(Protocol):
    """Webhooks. Every method but ``test`` raises the errors of :mod:`storage.hooks` and of the store."""

    async def statuses(self) -> Sequence[HookStatus]: ...

    async def get(self, hook: str) -> HookStatus: ...

    async def add(self, url: str, events: tuple[str, ...], streams: tuple[str, ...]) -> Hook:
        """Raises BadHookTarget."""
        ...

    async def change(self, hook: str, change: Callable[[Hook], Hook]) -> Hook: ...

    async def remove(self, hook: str) -> Hook: ...

    async def rotate_secret(self, hook: str) -> Hook: ...

    async def test(self, hook: str) -> Attempt:
        """Send a test event now, and wait for the answer."""
        ...

    async def replay(self, hook: str, delivery: str | None) -> int:
        """Send one dead message, or all of them, again; returns how many."""
        ...

    async def attempts(self, hook: str, limit: int) -> Sequence[Attempt]:
        """The newest first."""
        ...

    async def dead(self, hook: str, limit: int) -> Sequence[Delivery]:
        """The newest first."""
        ...


class Drainer(Protocol):
    """Takes the server out of service."""

    @property
    def state(self) -> Draining | None:
        """None while the server is in service."""
        ...

    def begin(self, grace_s: float | None = None) -> Draining:
        """Accept no new broadcasts, and stop when those on air have ended, or after ``grace_s`` seconds; None is
        the configured time."""
        ...


def _ignore_key(stream: str, key: str | None) -> None:
    pass


def _ignore_stream(stream: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class ApiServices:
    """``rtmp_url`` is the Server line for OBS; ``public_url`` is the origin's, without a slash at its end.

    ``reload`` applies the configuration as it is now, and raises BadConfiguration. ``reports`` are those of
    players. ``playback_keys`` returns the keys that sign viewers' tokens, ``clock`` Unix seconds and ``monotonic``
    monotonic seconds. ``on_key`` receives a stream's new key, and None when the stream is deleted; ``on_privacy``
    a stream that is now private, or no longer. ``warnings`` returns what may soon prevent the server from serving.
    """

    cluster: Cluster
    catalogue: Catalogue
    auth: Authenticator
    audit: AuditLog
    rtmp_url: str
    public_url: str
    drain: Drainer
    hooks: Hooks
    reports: ReportIntake
    reload: Callable[[], Awaitable[Reloaded]]
    keeper: Keeper
    playback_keys: Callable[[], Awaitable[PlaybackKeys]]
    clock: Callable[[], float]
    monotonic: Callable[[], float] = time.monotonic
    on_key: Callable[[str, str | None], None] = _ignore_key
    on_privacy: Callable[[str], None] = _ignore_stream
    warnings: Callable[[], Collection[str]] = tuple

    @property
    def path_prefix(self) -> str:
        """The path of ``public_url``: empty, or ``/tv``."""
        return urlsplit(self.public_url).path

    def watch_url(self, stream: str) -> str:
        return f"{self.public_url}/watch/{stream}"
