"""Admits requests under ``live/``: all of them for public streams, those with a valid token for private ones."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from origin.paths import LivePath, Resource, parse_live_path
from origin.playback.errors import TokenMissing
from origin.playback.keys import PlaybackKeys
from origin.playback.paths import below_path_token, check_path_token, make_path_token, split_path_token
from origin.playback.tokens import verify_viewer_token

BUCKET_S = 6 * 3600
MAX_AGE = re.compile(r"max-age=(\d+)")


@dataclass(frozen=True, slots=True)
class Granted:
    """``path`` is the path to serve, None if the name is not valid; ``seconds_left`` is the remaining validity of
    the path token, None for a public stream."""

    path: LivePath | None
    seconds_left: int | None = None


@dataclass(frozen=True, slots=True)
class Redirected:
    """``location`` is the same resource below the path token, relative to the requested path."""

    path: LivePath
    location: str


class PlaybackGate:
    """``keys`` returns the playback keys, ``is_private`` whether a stream is private; both may raise StorageError.
    A path token is valid for at least ``bucket_s`` seconds; ``clock`` returns Unix seconds."""

    def __init__(
        self,
        keys: Callable[[], Awaitable[PlaybackKeys]],
        is_private: Callable[[str], Awaitable[bool]],
        *,
        clock: Callable[[], float],
        bucket_s: int = BUCKET_S,
    ) -> None:
        self._keys = keys
        self._is_private = is_private
        self._clock = clock
        self._bucket_s = bucket_s

    async def admit(self, path: str, *, token: str | None, address: str | None) -> Granted | Redirected:
        """``path`` is the URL's path after ``live/``, including a path token; ``token`` is the viewer token in the
        query, and ``address`` the client's address. Raises PlaybackRefused, StorageError."""
        plain, path_token = split_path_token(path)
        live_path = parse_live_path(plain)
        if live_path is None:
            return Granted(None)
        if path_token is not None:
            now = self._clock()
            expires_at = check_path_token(path_token, await self._keys(), live_path.stream, now=now)
            return Granted(live_path, max(1, int(expires_at - now)))
        if not await self._is_private(live_path.stream):
            return Granted(live_path)
        return await self._redirect(plain, live_path, token, address)

    async def _redirect(self, path: str, live_path: LivePath, token: str | None, address: str | None) -> Redirected:
        stream = live_path.stream
        if live_path.resource not in (Resource.MASTER, Resource.MANIFEST):
            raise TokenMissing(f"the stream {stream} is private: its media can only be reached through its link")
        keys, now = await self._keys(), self._clock()
        verify_viewer_token(token, keys, stream=stream, address=address, now=now)
        path_token = make_path_token(keys, stream, now=now, bucket_s=self._bucket_s)
        return Redirected(live_path, below_path_token(path, path_token))


def capped(caching: str, seconds_left: int | None) -> str:
    """The Cache-Control ``caching`` with a max-age of at most ``seconds_left``, so that caches keep nothing below a
    path token for longer than the token is valid."""
    if seconds_left is None:
        return caching
    return MAX_AGE.sub(lambda match: f"max-age={min(int(match[1]), seconds_left)}", caching)
