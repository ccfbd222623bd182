"""HTTP responses to requests below ``/live/``: validators, ranges, caching and refusals (RFC 9110)."""

from collections.abc import AsyncIterator, Callable

import structlog
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from live.answer import Lifetime
from live.errors import SegmentUnfinished
from origin.api.problems import problem
from origin.body import SharedBody, pieces
from origin.delivery import Delivery
from origin.directives import parse_directives
from origin.errors import NoSuchName, NotYet, OriginError, Refused, origin_error
from origin.hot import SHARED, SharedRequest
from origin.methods import allow, options_answer
from origin.playback import Granted, PlaybackGate, PlaybackRefused, Redirected, capped
from origin.prefix import route_path
from origin.ranges import Unsatisfiable, parse_range
from origin.texts import Compressor, etag_matches
from storage.content import IMMUTABLE, SHORT, content_type
from storage.interface import StorageError

log = structlog.get_logger("origin")

PREFIX = "/live/"
METHODS = ("GET", "HEAD")
CACHING = {
    Lifetime.MOMENT: SHORT,
    Lifetime.POSITION: "public, max-age=3600",
    Lifetime.IMMUTABLE: IMMUTABLE,
}

OnServed = Callable[[str, int, int], None]


class LiveMedia:
    """An ASGI middleware that answers requests below /live/ and passes on all others.

    It precedes the application's routes, because it answers more requests than all of them together, and routing
    costs as much as the answer. ``on_served(resource, status, bytes)`` counts the answers.
    """

    def __init__(self, app: ASGIApp, *, delivery: Delivery, gate: PlaybackGate, on_served: OnServed) -> None:
        self._app = app
        self._delivery = delivery
        self._gate = gate
        self._on_served = on_served
        self._compressor = Compressor()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not route_path(scope).startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if request.method in METHODS:
            response = await self._serve(request)
        elif request.method == "OPTIONS":
            response = options_answer(METHODS)
        else:
            headers = {"Allow": allow(METHODS), "Cache-Control": "no-store"}
            response = plain_text(405, "media can only be fetched (GET, HEAD)", headers)
        try:
            await response(scope, receive, send)
        except SegmentUnfinished as unfinished:
            # The response ends without its last chunk, so that no cache takes it for a complete segment.
            log.info("a growing segment broke off", path=scope["path"], reason=str(unfinished))

    async def _serve(self, request: Request) -> Response:
        resource, response = await self._respond(request)
        if isinstance(response, StreamingResponse):
            response.body_iterator = counted(response.body_iterator, resource, self._on_served)
        else:
            self._on_served(resource, response.status_code, len(response.body))
            shared: SharedRequest | None = request.scope.get(SHARED)
            if shared is not None:
                shared.answer(response.body, resource)
        return response

    async def _respond(self, request: Request) -> tuple[str, Response]:
        """The requested resource's name for metrics, and the response."""
        path = route_path(request.scope).removeprefix(PREFIX)
        address = request.client.host if request.client is not None else None
        try:
            admission = await self._gate.admit(path, token=request.query_params.get("token"), address=address)
        except (PlaybackRefused, StorageError) as error:
            refusal = origin_error(error)
            return "refused" if isinstance(refusal, Refused) else "unknown", self._refuse(refusal)
        resource = admission.path.resource.value if admission.path else "unknown"
        if isinstance(admission, Redirected):
            headers = {"Location": admission.location, "Cache-Control": "no-store"}
            return resource, Response(status_code=302, headers=headers)
        try:
            return resource, await self._answer(request, admission)
        except OriginError as error:
            return resource, self._refuse(error, admission.seconds_left)

    async def _answer(self, request: Request, granted: Granted) -> Response:
        """Raises OriginError."""
        path = granted.path
        if path is None:
            raise NoSuchName
        answer = await self._delivery.find(path, parse_directives(request.query_params))
        shared: SharedRequest | None = request.scope.get(SHARED)
        if shared is not None and granted.seconds_left is None:
            if answer.lifetime is not Lifetime.MOMENT:
                shared.keep()
            elif answer.is_current is not None:
                shared.keep(answer.is_current)
        headers = {
            "Content-Type": content_type(path.key),
            "Cache-Control": capped(CACHING[answer.lifetime], granted.seconds_left),
            "X-Content-Type-Options": "nosniff",
        }
        chunked = request.scope["http_version"] != "1.0" or request.method == "HEAD"
        if answer.rest is not None and not chunked:
            # HTTP/1.0 has no chunks (RFC 9112, 7.1), so the client gets the segment when it is complete.
            try:
                async for _ in answer.rest:
                    pass
            except SegmentUnfinished:
                raise NotYet from None
            answer = await self._delivery.find(path, parse_directives(request.query_params))
        if answer.rest is not None:
            chunks = joined(answer.data, answer.rest) if request.method != "HEAD" else no_chunks()
            return StreamingResponse(chunks, headers=headers)
        if not path.is_media:
            return self._compressor.respond(request, answer.data, headers)
        # Media names are never reused, so the length is enough of an entity tag.
        etag = f'"{len(answer.data):x}"'
        headers |= {"ETag": etag, "Accept-Ranges": "bytes"}
        if etag_matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        return ranged(request, answer.data, etag, headers)

    def _refuse(self, error: OriginError, seconds_left: int | None = None) -> Response:
        headers = {"Cache-Control": capped(error.caching, seconds_left)}
        if error.retry_after_s is not None:
            headers["Retry-After"] = str(error.retry_after_s)
        if isinstance(error, Refused):
            return problem(error.status, error.reason, str(error), headers=headers)
        return plain_text(error.status, str(error), headers)


def ranged(request: Request, data: bytes, etag: str, headers: dict[str, str]) -> Response:
    header = request.headers.get("range")
    if header is None or request.method == "HEAD" or request.headers.get("if-range", etag) != etag:
        return SharedBody(data, headers=headers)
    try:
        span = parse_range(header, len(data))
    except Unsatisfiable:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(data)}"})
    if span is None:
        return SharedBody(data, headers=headers)
    start, end = span
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
    return SharedBody(memoryview(data)[start:end], status_code=206, headers=headers)


def plain_text(status: int, text: str, headers: dict[str, str]) -> Response:
    return Response(text + "\n", status_code=status, media_type="text/plain; charset=utf-8", headers=headers)


async def joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[memoryview]:
    for piece in pieces(first):
        yield piece
    async for chunk in rest:
        for piece in pieces(chunk):
            yield piece


async def no_chunks() -> AsyncIterator[memoryview]:
    """The body of an answer to HEAD."""
    return
    yield memoryview(b"")


async def counted(chunks: object, resource: str, on_served: OnServed) -> AsyncIterator[memoryview]:
    size = 0
    assert isinstance(chunks, AsyncIterator)
    try:
        async for chunk in chunks:
            size += len(chunk)
            yield chunk
    finally:
        on_served(resource, 200, size)
