"""From what delivery found to an HTTP response: validators, ranges, compression, errors (RFC 9110)."""

import gzip
from collections.abc import AsyncIterator, Callable
from hashlib import blake2b

import structlog
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from origin.delivery import Delivery, Found, Gone, HeldTooLong, NotYet, TooFarAhead
from origin.directives import BadDirective, parse_directives
from origin.paths import LivePath
from origin.playback import PlaybackGate, PlaybackRefused, Redirected, capped
from origin.ranges import Unsatisfiable, parse_range
from packager.errors import SegmentUnfinished
from storage.content import content_type
from storage.interface import StorageError
from storage.sized_cache import SizedCache

log = structlog.get_logger("origin")

PREFIX = "/live/"
NOT_YET = "public, max-age=1"
GONE = "public, max-age=60"
# Headers that players in other origins' pages may read.
EXPOSED = ("Content-Length", "Content-Range", "Date", "ETag")
ANY_ORIGIN = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", ", ".join(EXPOSED).encode()),
]
PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Range",
    "Access-Control-Max-Age": "86400",
}
# Of compressed texts: each version is compressed once, however many ask for it.
MAX_COMPRESSED_BYTES = 16 << 20
COMPRESSION = 5

OnServed = Callable[[str, int, int], None]


class LiveMedia:
    """An ASGI middleware that answers what is asked below /live/, and hands on all else.

    It stands before the application's routes, for it answers more than all of them together, and a route costs as
    much again as the answer. ``on_served(resource, status, bytes)`` counts what was answered. Where pages of
    ``any_origin`` may read, every answer says so, also to who did not ask: caches keep one for all.
    """

    def __init__(
        self, app: ASGIApp, *, delivery: Delivery, gate: PlaybackGate, on_served: OnServed, any_origin: bool = True
    ) -> None:
        self._app = app
        self._delivery = delivery
        self._gate = gate
        self._on_served = on_served
        self._any_origin = any_origin
        self._compressor = Compressor()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if request.method in ("GET", "HEAD"):
            response = await self._serve(request)
        elif request.method == "OPTIONS" and self._any_origin:
            response = Response(status_code=204, headers=PREFLIGHT)
        else:
            allowed = {"Allow": "GET, HEAD, OPTIONS"}
            response = problem(405, "what is here can only be fetched (GET, HEAD)", "no-store", allowed)
        try:
            await response(scope, receive, send)
        except SegmentUnfinished as unfinished:
            # Left without its end, the response breaks off: no cache takes it for a whole segment.
            log.info("a segment that was read as it grew broke off", path=scope["path"], reason=str(unfinished))

    async def _serve(self, request: Request) -> Response:
        path = request.scope["path"].removeprefix(PREFIX)
        resource, response = await admitted(request, path, self._gate, self._delivery, self._compressor)
        if self._any_origin:
            response.raw_headers += ANY_ORIGIN
        if isinstance(response, StreamingResponse):
            response.body_iterator = counted(response.body_iterator, resource, self._on_served)
        else:
            self._on_served(resource, response.status_code, len(response.body))
        return response


async def admitted(
    request: Request, path: str, gate: PlaybackGate, delivery: Delivery, compressor: "Compressor"
) -> tuple[str, Response]:
    """What was asked for and the response, where the gate lets it through."""
    address = request.client.host if request.client is not None else None
    try:
        admission = await gate.admit(path, token=request.query_params.get("token"), address=address)
    except PlaybackRefused as refusal:
        return "refused", problem(403, f"{refusal} ({refusal.code})", "no-store")
    except StorageError:
        return "unknown", store_trouble()
    if isinstance(admission, Redirected):
        headers = {"Location": admission.location, "Cache-Control": "no-store"}
        return admission.path.resource.value, Response(status_code=302, headers=headers)
    resource = admission.path.resource.value if admission.path else "unknown"
    response = await answer(request, admission.path, delivery, compressor)
    if admission.seconds_left is not None:
        response.headers["Cache-Control"] = capped(response.headers["Cache-Control"], admission.seconds_left)
    return resource, response


async def answer(request: Request, path: LivePath | None, delivery: Delivery, compressor: "Compressor") -> Response:
    """The response to ``request``; every error is one in words."""
    try:
        if path is None:
            raise NotYet
        found = await delivery.find(path, parse_directives(request.query_params))
    except NotYet:
        return problem(404, "not there, or not yet", NOT_YET)
    except Gone:
        return problem(410, "gone: it has left the window that viewers may go back", GONE)
    except BadDirective as error:
        return problem(400, str(error), "no-store")
    except TooFarAhead:
        return problem(400, "too far ahead: that part of the playlist will not be made for long", "no-store")
    except HeldTooLong:
        return problem(503, "the broadcaster sends nothing; try again", "no-store", {"Retry-After": "1"})
    except StorageError:
        return store_trouble()
    headers = {
        "Content-Type": content_type(path.key),
        "Cache-Control": found.caching,
        "X-Content-Type-Options": "nosniff",
    }
    if found.chunks is not None:
        chunks = joined(found) if request.method != "HEAD" else no_chunks()
        return StreamingResponse(chunks, headers=headers)
    if not path.is_media:
        return compressor.respond(request, found.data, headers)
    # Media names are never reused, so the length tells versions apart well enough.
    etag = f'"{len(found.data):x}"'
    headers |= {"ETag": etag, "Accept-Ranges": "bytes"}
    if etag_matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return ranged(request, found.data, etag, headers)


class Compressor:
    """Texts with their entity tags, compressed once a version."""

    def __init__(self) -> None:
        self._compressed: SizedCache[str, bytes] = SizedCache(MAX_COMPRESSED_BYTES)

    def respond(self, request: Request, data: bytes, headers: dict[str, str]) -> Response:
        digest = blake2b(data, digest_size=8).hexdigest()
        gzips = accepts_gzip(request.headers.get("accept-encoding", ""))
        etag = f'"{digest}-gzip"' if gzips else f'"{digest}"'
        headers |= {"ETag": etag, "Vary": "Accept-Encoding"}
        if etag_matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        if gzips:
            data = self._compress(digest, data)
            headers["Content-Encoding"] = "gzip"
        return Response(data, headers=headers)

    def _compress(self, digest: str, data: bytes) -> bytes:
        known = self._compressed.get(digest)
        if known is None:
            known = gzip.compress(data, COMPRESSION, mtime=0)
            self._compressed.put(digest, known, len(known))
        return known


def accepts_gzip(header: str) -> bool:
    """Accept-Encoding (RFC 9110, 12.5.3), as far as gzip goes."""
    wanted = {}
    for item in header.lower().split(","):
        coding, _, parameters = item.partition(";")
        wanted[coding.strip()] = parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return wanted.get("gzip", wanted.get("*", False))


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


def store_trouble() -> Response:
    return problem(503, "the store does not answer; try again", "no-store", {"Retry-After": "2"})


async def joined(found: Found) -> AsyncIterator[bytes]:
    """The first chunk, which is there, and the others as they come."""
    yield found.data
    assert found.chunks is not None
    async for chunk in found.chunks:
        yield chunk


async def no_chunks() -> AsyncIterator[bytes]:
    """The body of an answer to HEAD."""
    return
    yield b""


async def counted(chunks: object, resource: str, on_served: OnServed) -> AsyncIterator[bytes]:
    size = 0
    assert isinstance(chunks, AsyncIterator)
    try:
        async for chunk in chunks:
            size += len(chunk)
            yield chunk
    finally:
        on_served(resource, 200, size)
