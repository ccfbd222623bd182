"""Everything under ``/live/``: from the live window while it is there, from the store after that.

404 is for what is not yet, 410 for what is gone; what is about to be made is waited for. Whatever is served says
how long caches may keep it, and nothing of it depends on who asks.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from live.window import LiveWindow, Reload
from live.window_track import Position
from media.names import MASTER_PLAYLIST, MEDIA_PLAYLIST, broadcast_prefix, track_prefix
from origin.live import LiveWindows
from origin.paths import LivePath, Resource
from packager import hls
from packager.errors import PackagerError, SegmentUnfinished
from storage.coalesce import CoalescingReader
from storage.content import IMMUTABLE, SHORT
from storage.interface import ObjectNotFound

# Seconds a request waits for a broadcast that has begun but has nothing to play yet.
LONGEST_START_WAIT_S = 6.0
# A playlist up to a part is the same whenever it is asked for.
SNAPSHOT = "public, max-age=3600"


class NotYet(Exception):
    """404: there is no such thing, or not yet."""


class Gone(Exception):
    """410: it was there, and the DVR window or the live window has passed it."""


class TooFarAhead(Exception):
    """400: a blocking request for what will not be made for long (draft-pantos-hls-rfc8216bis, 6.2.5.2)."""


class HeldTooLong(Exception):
    """503: what was waited for did not come."""


@dataclass(frozen=True, slots=True)
class Found:
    """The bytes of a path, or its chunks as they are made."""

    data: bytes
    caching: str
    chunks: AsyncIterator[bytes] | None = None


class Delivery:
    """Finds the bytes of a live path. ``clock`` tells Unix seconds."""

    def __init__(self, windows: LiveWindows, reader: CoalescingReader, clock: Callable[[], float]) -> None:
        self._windows = windows
        self._reader = reader
        self._clock = clock

    async def find(self, path: LivePath, reload: Reload) -> Found:
        """Raises NotYet, Gone, TooFarAhead, HeldTooLong, StorageError."""
        window = self._window(path)
        if window is None:
            data = self._just_closed_part(path)
            return Found(data, IMMUTABLE) if data is not None else await self._stored(path)
        match path.resource:
            case Resource.MASTER | Resource.MANIFEST:
                return await self._described(path, window)
            case Resource.PLAYLIST:
                return await self._playlist(path, window, reload)
            case Resource.INIT:
                data = window.init(path.track, path.number)
            case Resource.SEGMENT:
                data = window.media(path.track, path.number)
                if data is None and _is_awaited(window, path):
                    return await self._growing(path, window)
            case Resource.PART:
                data = await self._part(path, window)
        return Found(data, IMMUTABLE) if data is not None else await self._older(path, window)

    def _window(self, path: LivePath) -> LiveWindow | None:
        if path.broadcast is None:
            return self._windows.newest(path.stream)
        return self._windows.find(path.stream, path.broadcast)

    async def _described(self, path: LivePath, window: LiveWindow) -> Found:
        if not await window.wait_ready(LONGEST_START_WAIT_S):
            raise NotYet
        prefix = f"{window.broadcast}/" if path.broadcast is None else ""
        if path.resource is Resource.MASTER:
            text = window.master(prefix=prefix)
        else:
            text = window.manifest(base_url=prefix or None, now_ms=round(self._clock() * 1000))
        if text is None:
            raise NotYet
        return Found(text, SHORT)

    async def _playlist(self, path: LivePath, window: LiveWindow, reload: Reload) -> Found:
        if path.track not in window.tracks:
            raise NotYet
        await window.wait_ready(LONGEST_START_WAIT_S)
        if window.low_latency is None:
            reload = Reload()
        if reload.position is not None:
            if not window.ended and not window.is_near(path.track, reload.position):
                raise TooFarAhead
            if not await window.wait_for(path.track, reload.position, _hold_timeout(window)):
                raise HeldTooLong
        text = window.playlist(path.track, reload)
        if text is None:
            raise NotYet
        kept = reload.position is not None and window.recalls(path.track, reload.position)
        return Found(text, SNAPSHOT if kept else SHORT)

    async def _part(self, path: LivePath, window: LiveWindow) -> bytes | None:
        position = Position(path.number, path.part)
        awaited = window.low_latency is not None and path.track in window.tracks and not window.ended
        awaited = awaited and window.is_near(path.track, position)
        if awaited and not await window.wait_for(path.track, position, _hold_timeout(window)):
            raise HeldTooLong
        data = window.part(path.track, position)
        if data is not None:
            self._windows.note_fetch(window, path.track, position)
        return data

    def _just_closed_part(self, path: LivePath) -> bytes | None:
        """A part that a playlist named shortly before the broadcast was over."""
        if path.resource is not Resource.PART or path.broadcast is None:
            return None
        window = self._windows.just_closed(path.stream, path.broadcast)
        return window.part(path.track, Position(path.number, path.part)) if window is not None else None

    async def _growing(self, path: LivePath, window: LiveWindow) -> Found:
        """A segment that is being made, chunk by chunk; its first one is waited for."""
        chunks = window.growing(path.track, path.number, _hold_timeout(window))
        try:
            first = await anext(chunks)
        except StopAsyncIteration:
            raise NotYet from None
        except SegmentUnfinished:
            raise HeldTooLong from None
        return Found(first, IMMUTABLE, chunks)

    async def _older(self, path: LivePath, window: LiveWindow) -> Found:
        """What the window does not hold in memory."""
        if path.resource is not Resource.INIT:
            if window.is_coming(path.track, path.number):
                raise NotYet
            if path.number < window.gone_before or path.resource is Resource.PART:
                raise Gone
        return await self._stored(path)

    async def _stored(self, path: LivePath) -> Found:
        try:
            data = (await self._reader.get(path.key)).body
        except ObjectNotFound:
            if path.resource is Resource.PART and await self._broadcast_is_stored(path):
                raise Gone from None
            if path.resource is Resource.SEGMENT and await self._passed(path):
                raise Gone from None
            raise NotYet from None
        return Found(data, IMMUTABLE if path.is_media else SHORT)

    async def _broadcast_is_stored(self, path: LivePath) -> bool:
        assert path.broadcast is not None
        prefix = broadcast_prefix(path.stream, path.broadcast)
        return await self._text(f"{prefix}/{MASTER_PLAYLIST}") is not None

    async def _passed(self, path: LivePath) -> bool:
        """Whether the stored playlist begins after this segment."""
        assert path.broadcast is not None
        text = await self._text(f"{track_prefix(path.stream, path.broadcast, path.track)}/{MEDIA_PLAYLIST}")
        if text is None:
            return False
        try:
            return path.number < hls.parse_media(text.decode()).media_sequence
        except (PackagerError, UnicodeDecodeError):
            return False

    async def _text(self, key: str) -> bytes | None:
        try:
            return (await self._reader.get(key)).body
        except ObjectNotFound:
            return None


def _hold_timeout(window: LiveWindow) -> float:
    """How long a request is held: three segments (draft-pantos-hls-rfc8216bis, 6.2.5.2)."""
    assert window.facts is not None
    return 3 * window.facts.segment_target_ms / 1000


def _is_awaited(window: LiveWindow, path: LivePath) -> bool:
    """Whether the segment is being made, or is the next one: LL-DASH asks before its first chunk is there."""
    if window.low_latency is None or window.ended or path.track not in window.tracks:
        return False
    return window.is_open(path.track, path.number) or (
        window.is_coming(path.track, path.number) and (window.is_near(path.track, Position(path.number, 0)))
    )
