"""The address that receives reports: ``/api/v1/cmcd``. Viewers have no token, so anyone may report anything.

What a report may cost is bounded before it is read: all clients together and each address may send so many reports
a second, and only streams that exist have figures. A stream that is not live here is looked up in the store, at a
rate that strangers cannot raise. A refusal is prepared in advance.
"""

import math
from collections import Counter
from collections.abc import Awaitable, Callable
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from urllib.parse import unquote_plus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from media.peers import counted_as
from origin.api.bounded import MAX_BODY_BYTES
from origin.api.problems import problem
from origin.api.throttle import Throttle
from origin.qoe.cmcd import HEADERS, Report, count_reports, parse_body, parse_reports
from origin.qoe.ladder import Ladder
from origin.qoe.streams import StreamsFigures, View
from storage.cached_lookup import CachedLookup, Freshness
from storage.interface import ObjectNotFound, StorageError

PATH = "/api/v1/cmcd"
METHODS = ("GET", "POST")
PARAMETER = "CMCD"

# Reports at once, and in each second: of all clients together, and of one address, which many viewers may share.
BURST, EACH_SECOND = 500, 1000
ADDRESS_BURST, ADDRESS_EACH_SECOND = 200, 50
# Streams that are looked up in the store: at once, and in each second.
LOOKUP_BURST, LOOKUPS_EACH_SECOND = 20, 10
MAX_LOOKUPS = 4
MAX_CACHED = 1000
FRESHNESS = Freshness(refresh_s=60.0)
MISSING_S = 60.0

# Requests whose bodies arrive at the moment.
MAX_READING = 100

EVERYONE = ""
# Part of a query. Then the answer is always 204, because browsers log every error of a page's requests.
QUIET = b"quiet=1"


class Outcome(StrEnum):
    """What became of a report; ``refused`` counts requests, whose reports are not read."""

    ACCEPTED = "accepted"
    MALFORMED = "malformed"
    UNKNOWN_STREAM = "unknown-stream"
    NOT_LOOKED_UP = "not-looked-up"
    REFUSED = "refused"


class PreparedResponse(Response):
    """Answers many requests. Middleware adds header fields to an answer, so each gets a list of its own."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.body, response.status_code, dict(response.headers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": [*self.raw_headers]})
        await send({"type": "http.response.body", "body": self.body})


ACCEPTED = PreparedResponse(Response(status_code=204, headers={"Cache-Control": "no-store"}))
SWITCHED_OFF = PreparedResponse(
    problem(410, "reports-off", "this server takes no reports of players: do not send any more")
)
TOO_LARGE = PreparedResponse(
    problem(413, "content-too-large", f"a request's body is at most {MAX_BODY_BYTES} bytes")
)


class TooLarge(Exception):
    """The body is longer than MAX_BODY_BYTES."""


@lru_cache(maxsize=256)
def too_many(retry_after_s: int) -> Response:
    detail = f"the server has as many reports as it can take: try again in {retry_after_s} s"
    headers = {"Retry-After": str(retry_after_s)}
    return PreparedResponse(problem(429, "too-many-reports", detail, headers=headers))


class ReportIntake:
    """``enabled`` returns whether reports are taken. ``ladder`` returns the ladder of a stream that is live here,
    or None. ``find`` returns if a stream exists, and raises ObjectNotFound, StorageError. ``monotonic`` returns
    monotonic seconds."""

    def __init__(
        self,
        *,
        enabled: Callable[[], bool],
        ladder: Callable[[str], Ladder | None],
        find: Callable[[str], Awaitable[object]],
        monotonic: Callable[[], float],
    ) -> None:
        self._enabled = enabled
        self._ladder = ladder
        self._monotonic = monotonic
        self._all = Throttle(BURST, 1 / EACH_SECOND)
        self._addresses = Throttle(ADDRESS_BURST, 1 / ADDRESS_EACH_SECOND)
        self._lookups = Throttle(LOOKUP_BURST, 1 / LOOKUPS_EACH_SECOND)
        self._reading = 0
        self._streams: CachedLookup[str, object] = CachedLookup(
            find,
            max_count=MAX_CACHED,
            freshness=FRESHNESS,
            missing_s=MISSING_S,
            max_lookups=MAX_LOOKUPS,
            clock=monotonic,
        )
        self.outcomes: Counter[str] = Counter(dict.fromkeys(Outcome, 0))
        self.figures = StreamsFigures()

    @property
    def enabled(self) -> bool:
        return self._enabled()

    def view(self, stream: str) -> View:
        return self.figures.view(stream, self._monotonic())

    async def answer(self, request: Request) -> Response:
        """The answer to a request of any client."""
        answer = await self._answer(request)
        return ACCEPTED if QUIET in request.scope["query_string"] else answer

    async def _answer(self, request: Request) -> Response:
        if not self._enabled():
            return SWITCHED_OFF
        address = counted_as(request.client.host) if request.client is not None else ""
        if wait_s := self._wait_s(address):
            return self._refuse(wait_s)
        if self._reading >= MAX_READING:
            return self._refuse(1)
        self._reading += 1
        try:
            body = await _read(request)
        except TooLarge:
            return TOO_LARGE
        except ClientDisconnect:
            return ACCEPTED
        finally:
            self._reading -= 1
        # Others may have used up what was left while the body arrived.
        if wait_s := self._wait_s(address):
            return self._refuse(wait_s)
        texts = [*_in_query(request), *_in_headers(request)]
        self._count(address, max(1, count_reports(body) + len(texts)))
        reports, bad = parse_body(body)
        others, bad_others = parse_reports(texts)
        self.outcomes[Outcome.MALFORMED] += bad + bad_others
        await self._take([*reports, *others])
        return ACCEPTED

    def _wait_s(self, address: str) -> float:
        """Seconds until ``address`` may send reports; 0 if it may now."""
        now = self._monotonic()
        return self._all.wait_s(EVERYONE, now) or self._addresses.wait_s(address, now)

    def _count(self, address: str, reports: int) -> None:
        now = self._monotonic()
        self._all.count(EVERYONE, now, reports)
        self._addresses.count(address, now, reports)

    def _refuse(self, wait_s: float) -> Response:
        self.outcomes[Outcome.REFUSED] += 1
        return too_many(math.ceil(wait_s))

    async def close(self) -> None:
        await self._streams.close()

    async def _take(self, reports: list[Report]) -> None:
        # The sort is stable, so the reports of a session stay in order.
        for stream, group in groupby(sorted(reports, key=_stream_of), key=_stream_of):
            of_stream = list(group)
            ladder = self._ladder(stream)
            outcome = Outcome.ACCEPTED if ladder is not None else await self._look_up(stream)
            self.outcomes[outcome] += len(of_stream)
            if outcome is Outcome.ACCEPTED:
                self.figures.take(stream, of_stream, ladder or Ladder(), self._monotonic())

    async def _look_up(self, stream: str) -> Outcome:
        if self._streams.peek(stream) is None:
            now = self._monotonic()
            if self._lookups.wait_s(EVERYONE, now):
                return Outcome.NOT_LOOKED_UP
            self._lookups.count(EVERYONE, now)
        try:
            await self._streams.get(stream)
        except ObjectNotFound:
            return Outcome.UNKNOWN_STREAM
        except StorageError:
            return Outcome.NOT_LOOKED_UP
        return Outcome.ACCEPTED


def _stream_of(report: Report) -> str:
    return report.stream


async def _read(request: Request) -> bytes:
    """The body. Raises TooLarge, ClientDisconnect."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > MAX_BODY_BYTES:
        raise TooLarge
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge
    return bytes(body)


def _in_query(request: Request) -> list[str]:
    query = request.scope["query_string"].decode("latin-1")
    fields = (field.partition("=") for field in query.split("&"))
    value = next((value for name, _, value in fields if name == PARAMETER), None)
    return [] if value is None else [unquote_plus(value)]


def _in_headers(request: Request) -> list[str]:
    """The report in the four header fields, which are one dictionary together."""
    fields = [value for name in HEADERS if (value := request.headers.get(name))]
    return [",".join(fields)] if fields else []
