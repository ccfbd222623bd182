"""Everything under ``/live/``: from the live window while it is there, from the store after that.

404 is for what is not yet, 410 for what is gone. Whatever is served says how long caches may keep it, and nothing
of it depends on who asks.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b

from fastapi import APIRouter, Request, Response

from media.names import MEDIA_PLAYLIST, broadcast_prefix, track_prefix
from origin.live import LiveWindows
from origin.paths import LivePath, Resource, parse_live_path
from origin.ranges import Unsatisfiable, parse_range
from packager import hls
from packager.errors import PackagerError
from packager.window import LiveWindow
from storage.coalesce import CoalescingReader
from storage.content import cache_control, content_type, is_immutable
from storage.interface import ObjectNotFound, StorageError

# Seconds a request waits for a broadcast that has begun but has nothing to play yet.
LONGEST_START_WAIT_S = 6.0
NOT_YET = "public, max-age=1"
GONE = "public, max-age=60"
# Headers that players in other origins' pages may read.
EXPOSED = ("Content-Length", "Content-Range", "Date", "ETag")


class NotYet(Exception):
    """404: there is no such thing, or not yet."""


class Gone(Exception):
    """410: it was there, and the DVR window or the live window has passed it."""


@dataclass(frozen=True, slots=True)
class Body:
    data: bytes
    etag: str


class Delivery:
    """Finds the bytes of a live path. ``clock`` tells Unix seconds."""

    def __init__(self, windows: LiveWindows, reader: CoalescingReader, clock: Callable[[], float]) -> None:
        self._windows = windows
        self._reader = reader
        self._clock = clock

    async def find(self, path: LivePath) -> bytes:
        """Raises NotYet, Gone, StorageError."""
        window = self._window(path)
        if window is None:
            return await self._stored(path)
        match path.resource:
            case Resource.MASTER | Resource.MANIFEST:
                return await self._described(path, window)
            case Resource.PLAYLIST:
                return await self._playlist(path, window)
            case Resource.INIT:
                data = window.init(path.track, path.number)
            case Resource.SEGMENT:
                data = window.media(path.track, path.number)
            case Resource.PART:
                data = window.media(path.track, path.number, path.part)
        return data if data is not None else await self._older(path, window)

    def _window(self, path: LivePath) -> LiveWindow | None:
        if path.broadcast is None:
            return self._windows.newest(path.stream)
        return self._windows.find(path.stream, path.broadcast)

    async def _described(self, path: LivePath, window: LiveWindow) -> bytes:
        if not await window.wait_ready(LONGEST_START_WAIT_S):
            raise NotYet
        prefix = f"{window.broadcast}/" if path.broadcast is None else ""
        if path.resource is Resource.MASTER:
            text = window.master(prefix=prefix)
        else:
            text = window.manifest(base_url=prefix or None, now_ms=round(self._clock() * 1000))
        if text is None:
            raise NotYet
        return text

    async def _playlist(self, path: LivePath, window: LiveWindow) -> bytes:
        if path.track in window.tracks:
            await window.wait_ready(LONGEST_START_WAIT_S)
        text = window.playlist(path.track)
        if text is None:
            raise NotYet
        return text

    async def _older(self, path: LivePath, window: LiveWindow) -> bytes:
        """What the window does not hold in memory."""
        if path.resource is not Resource.INIT:
            if window.is_coming(path.track, path.number):
                raise NotYet
            if path.number < window.gone_before or path.resource is Resource.PART:
                raise Gone
        return await self._stored(path)

    async def _stored(self, path: LivePath) -> bytes:
        try:
            return (await self._reader.get(path.key)).body
        except ObjectNotFound:
            if path.resource is Resource.PART and await self._broadcast_is_stored(path):
                raise Gone from None
            if path.resource is Resource.SEGMENT and await self._passed(path):
                raise Gone from None
            raise NotYet from None

    async def _broadcast_is_stored(self, path: LivePath) -> bool:
        assert path.broadcast is not None
        return await self._text(f"{broadcast_prefix(path.stream, path.broadcast)}/master.m3u8") is not None

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


def delivery_router(
    delivery: Delivery, on_served: Callable[[str, int, int], None], *, any_origin: bool = True
) -> APIRouter:
    """The routes. ``on_served(resource, status, bytes)`` counts what was answered.

    Where pages of ``any_origin`` may read, every answer says so, also to who did not ask: caches keep one for all.
    """
    router = APIRouter()

    async def serve(request: Request, path: str) -> Response:
        live_path = parse_live_path(path)
        response = await answer(request, live_path, delivery.find)
        if any_origin:
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED)
        resource = live_path.resource.value if live_path else "unknown"
        on_served(resource, response.status_code, int(response.headers.get("content-length", "0")))
        return response

    router.add_api_route(
        "/live/{path:path}", serve, methods=["GET", "HEAD"], response_class=Response, include_in_schema=False
    )
    return router


async def answer(request: Request, path: LivePath | None, find: Callable[[LivePath], Awaitable[bytes]]) -> Response:
    """The response to ``request``: its method, validators and range obeyed (RFC 9110, 13 and 14)."""
    try:
        if path is None:
            raise NotYet
        data = await find(path)
    except NotYet:
        return problem(404, "not there, or not yet", NOT_YET)
    except Gone:
        return problem(410, "gone: it has left the window that viewers may go back", GONE)
    except StorageError:
        return problem(503, "the store does not answer; try again", "no-store", {"Retry-After": "2"})
    etag = f'"{entity_tag(path, data)}"'
    headers = {
        "Content-Type": content_type(path.key),
        "Cache-Control": cache_control(path.key),
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }
    if etag_matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return ranged(request, data, etag, headers)


def ranged(request: Request, data: bytes, etag: str, headers: dict[str, str]) -> Response:
    header = request.headers.get("range")
    if header is None or request.method == "HEAD" or request.headers.get("if-range", etag) != etag:
        return Response(data, headers=headers)
    try:
        span = parse_range(header, len(data))
    except Unsatisfiable:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(data)}"})
    if span is None:
        return Response(data, headers=headers)
    start, end = span
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
    return Response(data[start:end], status_code=206, headers=headers)


def entity_tag(path: LivePath, data: bytes) -> str:
    """Media names are never reused, so their length tells versions apart well enough; texts are hashed."""
    if is_immutable(path.key):
        return f"{len(data):x}"
    return blake2b(data, digest_size=8).hexdigest()


def etag_matches(header: str | None, etag: str) -> bool:
    """If-None-Match's weak comparison (RFC 9110, 13.1.2)."""
    if header is None:
        return False
    return header.strip() == "*" or etag in (item.strip().removeprefix("W/") for item in header.split(","))


def problem(status: int, text: str, caching: str, headers: dict[str, str] | None = None) -> Response:
    return Response(
        text + "\n",
        status_code=status,
        media_type="text/plain; charset=utf-8",
        headers={"Cache-Control": caching, **(headers or {})},
    )
