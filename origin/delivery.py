"""The bytes of everything under ``/live/``: from the live window of a live broadcast, otherwise from the store.

An answer does not depend on the viewer, so caches share it.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager

from live.answer import Answer, Lifetime
from live.errors import LiveError, NotYet, WindowGap
from live.window import LONGEST_START_WAIT_S, LiveWindow, Reload
from live.window_track import Position
from media.names import MASTER_PLAYLIST, MEDIA_PLAYLIST, broadcast_prefix, segment_name, track_prefix
from origin import errors
from origin.errors import origin_error
from origin.live import LiveWindows
from origin.paths import LivePath, Resource
from packager import hls
from packager.cmaf.chunks import chunk
from packager.errors import PackagerError
from storage.coalesce import CoalescingReader
from storage.interface import ObjectNotFound, StorageError
from telemetry.spans import ActiveSpan, current_span

BeginStep = Callable[[str], AbstractContextManager[ActiveSpan]]


async def _never_deleted(stream: str, broadcast: str) -> bool:
    return False


class Delivery:
    """Finds the bytes of a live path. ``clock`` returns Unix seconds; ``is_deleted`` whether a broadcast was
    deleted, and never fails. ``step`` begins a span inside the current one."""

    def __init__(
        self,
        windows: LiveWindows,
        reader: CoalescingReader,
        clock: Callable[[], float],
        *,
        is_deleted: Callable[[str, str], Awaitable[bool]] = _never_deleted,
        step: BeginStep | None = None,
    ) -> None:
        self._windows = windows
        self._reader = reader
        self._clock = clock
        self._is_deleted = is_deleted
        self._step = step

    async def find(self, path: LivePath, directives: Reload) -> Answer:
        """Raises OriginError."""
        try:
            if self._step is not None and (span := current_span()) is not None:
                return await self._find_in_steps(path, directives, span, self._step)
            return await self._from_window(path, directives) or await self._stored(path)
        except (LiveError, StorageError) as error:
            raise origin_error(error) from error

    async def _find_in_steps(self, path: LivePath, directives: Reload, span: ActiveSpan, step: BeginStep) -> Answer:
        """The duration of the step ``window`` is the time that the request was held."""
        span.set(**_described(path))
        with step("window"):
            answer = await self._from_window(path, directives)
        span.set(source="store" if answer is None else "window")
        if answer is not None:
            return answer
        with step("store"):
            return await self._stored(path)

    async def _from_window(self, path: LivePath, directives: Reload) -> Answer | None:
        """None if the window does not have it; the store may."""
        window = self._window(path)
        if window is None:
            return self._just_closed_part(path)
        tried = None
        while window is not None and window is not tried:
            try:
                return await self._live(path, window, directives)
            except WindowGap:
                # A window from a snapshot may have replaced it.
                window, tried = self._window(path), window
        return None

    def _window(self, path: LivePath) -> LiveWindow | None:
        if path.broadcast is None:
            return self._windows.newest(path.stream)
        return self._windows.find(path.stream, path.broadcast)

    async def _live(self, path: LivePath, window: LiveWindow, directives: Reload) -> Answer | None:
        match path.resource:
            case Resource.PLAYLIST:
                return await window.reload(path.track, directives, _hold_timeout(window))
            case Resource.PART:
                position = Position(path.number, path.part)
                answer = await window.fetch_part(path.track, position, _hold_timeout(window))
                if answer is None:
                    return await self._stored_part(path, window.normalize(path.track, position))
                self._windows.note_fetch(window, path.track, position)
                return answer
            case Resource.SEGMENT:
                return await window.fetch_segment(path.track, path.number, _hold_timeout(window))
            case Resource.INIT:
                data = window.init(path.track, path.number)
                return Answer(data, Lifetime.IMMUTABLE) if data is not None else None
            case Resource.RECORDING:
                return None
            case Resource.MASTER | Resource.MANIFEST:
                return await self._playlist_or_manifest(path, window)

    def clock_offset_ms(self, stream: str, broadcast: str) -> int:
        """The clock of a broadcast on air minus the server's, else 0."""
        window = self._windows.find(stream, broadcast)
        return window.facts.clock_offset_ms if window is not None and window.facts is not None else 0

    async def _playlist_or_manifest(self, path: LivePath, window: LiveWindow) -> Answer:
        if not window.ready:
            await window.wait_ready(LONGEST_START_WAIT_S)
        prefix = f"{window.broadcast}/" if path.broadcast is None else ""
        if path.resource is Resource.MASTER:
            text = window.master(prefix=prefix)
        else:
            text = window.manifest(base_url=prefix or None, now_ms=round(self._clock() * 1000))
        if text is None:
            raise NotYet(window.segment_s)
        return window.momentary(text)

    def _just_closed_part(self, path: LivePath) -> Answer | None:
        """A part of a broadcast that has just ended. Players still request those of its last playlists."""
        if path.resource is not Resource.PART or path.broadcast is None:
            return None
        window = self._windows.just_closed(path.stream, path.broadcast)
        data = window.part(path.track, Position(path.number, path.part)) if window is not None else None
        return Answer(data, Lifetime.IMMUTABLE) if data is not None else None

    async def _stored_part(self, path: LivePath, position: Position) -> Answer:
        """The part at ``position``, as a range of its stored segment."""
        assert path.broadcast is not None and position.part is not None
        segment = f"{track_prefix(path.stream, path.broadcast, path.track)}/{segment_name(position.msn)}"
        data = await self._stored_bytes(segment)
        if data is None:
            await self._require_not_deleted(path)
            raise errors.Gone if await self._is_known(path) else errors.NotYet
        try:
            part = chunk(data, position.part)
        except PackagerError:
            part = None
        if part is None:
            raise errors.Gone
        return Answer(part, Lifetime.IMMUTABLE)

    async def _stored(self, path: LivePath) -> Answer:
        if path.resource is Resource.PART:
            return await self._stored_part(path, Position(path.number, path.part))
        try:
            data = (await self._reader.get(path.key)).body
        except ObjectNotFound:
            await self._require_not_deleted(path)
            if path.resource is Resource.SEGMENT and await self._has_left_dvr(path):
                raise errors.Gone from None
            raise errors.NotYet from None
        return Answer(data, Lifetime.IMMUTABLE if path.is_media else Lifetime.MOMENT)

    async def _require_not_deleted(self, path: LivePath) -> None:
        """Raises Deleted."""
        if path.broadcast is not None and await self._is_deleted(path.stream, path.broadcast):
            raise errors.Deleted

    async def _is_known(self, path: LivePath) -> bool:
        """Whether the broadcast exists, so that a part that is neither in memory nor stored no longer exists."""
        assert path.broadcast is not None
        if self._windows.is_awaited(path.broadcast):
            return False
        prefix = broadcast_prefix(path.stream, path.broadcast)
        return await self._stored_bytes(f"{prefix}/{MASTER_PLAYLIST}") is not None

    async def _has_left_dvr(self, path: LivePath) -> bool:
        """Whether the stored playlist begins after this segment."""
        assert path.broadcast is not None
        text = await self._stored_bytes(f"{track_prefix(path.stream, path.broadcast, path.track)}/{MEDIA_PLAYLIST}")
        if text is None:
            return False
        try:
            return path.number < hls.parse_media(text.decode()).media_sequence
        except (PackagerError, UnicodeDecodeError):
            return False

    async def _stored_bytes(self, key: str) -> bytes | None:
        try:
            return (await self._reader.get(key)).body
        except ObjectNotFound:
            return None


def _described(path: LivePath) -> Mapping[str, str | int]:
    """What a span has of a path, which may contain a token itself."""
    described: dict[str, str | int] = {"stream": path.stream}
    if path.broadcast is not None:
        described["broadcast"] = path.broadcast
    if path.track:
        described["track"] = path.track
    if path.resource in (Resource.SEGMENT, Resource.PART):
        described["msn"] = path.number
    return described


def _hold_timeout(window: LiveWindow) -> float:
    """Seconds for which a request is held: three segments (draft-pantos-hls-rfc8216bis, 6.2.5.2)."""
    return 3 * window.segment_s
