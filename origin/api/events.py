"""The event log of a broadcast: from its owner while it is on air, afterwards from the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cluster.errors import NoOwner
from cluster.questions import EventsQuery
from origin.api.errors import TooManyFollowers
from origin.api.guard import GuardedRoute, needs
from origin.api.known_problems import (
    BROADCAST_NOT_FOUND,
    INVALID_REQUEST,
    OF_OWNERS,
    STREAM_NOT_FOUND,
    TOO_MANY_FOLLOWERS,
    TOO_MANY_WRONG_TOKENS,
    responses,
)
from origin.api.live import ASK_TIMEOUT_S
from origin.api.models import BroadcastState, EventPage
from origin.api.parameters import BroadcastId, StreamName
from origin.api.services import ApiServices
from storage.catalogue import BroadcastNotFound
from storage.catalogue.events import MAX_EVENTS, EventCode, EventRecord
from storage.catalogue.scopes import Scope
from storage.timely import within

LONGEST_WAIT_S = 30
# Requests of one origin that wait for events.
MAX_FOLLOWERS = 200
# JSON's numbers are exact up to here.
MAX_NUMBER = 2**53


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a log that a request asks for."""

    after: int
    limit: int
    wait_s: float


def _part(
    after: Annotated[
        int,
        Query(ge=0, le=MAX_NUMBER, description="only events with a higher number", examples=[3]),
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_EVENTS, description="the most events", examples=[100])] = MAX_EVENTS,
    wait: Annotated[
        float,
        Query(
            ge=0,
            le=LONGEST_WAIT_S,
            allow_inf_nan=False,
            description="seconds to wait for an event if there is none yet and the broadcast is on air",
            examples=[10],
        ),
    ] = 0,
) -> Part:
    return Part(after, limit, wait)


RequestedPart = Annotated[Part, Depends(_part)]


class EventPages:
    """Limits the requests that wait. Methods raise ClusterUnavailable, OwnerFailed, OwnerTimeout, StorageError."""

    def __init__(self, services: ApiServices) -> None:
        self._services = services
        self._followers = 0

    async def of_current(self, stream: str, part: Part) -> EventPage:
        """Of the broadcast on air, or else of the last one. Raises StreamNotFound, BroadcastNotFound."""
        claim = await self._services.cluster.owner_of(stream)
        if claim is not None:
            return await self._page(stream, claim.broadcast, part, on_air=True)
        newest = await within(ASK_TIMEOUT_S, self._services.catalogue.list_broadcasts(stream, limit=1))
        if not newest:
            await self._services.catalogue.find_stream(stream)
            raise BroadcastNotFound(f"{stream} has not been live yet")
        return await self._page(stream, newest[0].broadcast, part, on_air=False)

    async def of_broadcast(self, stream: str, broadcast: str, part: Part) -> EventPage:
        """Raises BroadcastNotFound."""
        claim = await self._services.cluster.owner_of(stream)
        on_air = claim is not None and claim.broadcast == broadcast
        return await self._page(stream, broadcast, part, on_air=on_air)

    async def _page(self, stream: str, broadcast: str, part: Part, *, on_air: bool) -> EventPage:
        record = await self._of_owner(stream, part) if on_air else None
        if record is None or record.broadcast != broadcast:
            record = await self._stored(stream, broadcast, on_air=on_air)
        return _page(record, part, on_air=on_air)

    async def _of_owner(self, stream: str, part: Part) -> EventRecord | None:
        """None if the broadcast is ending or has ended."""
        question = EventsQuery(after=part.after, limit=part.limit, wait_s=part.wait_s)
        with self._counted(waits=part.wait_s > 0):
            try:
                return await self._services.cluster.ask_owner(stream, question, timeout=part.wait_s + ASK_TIMEOUT_S)
            except NoOwner:
                return None

    async def _stored(self, stream: str, broadcast: str, *, on_air: bool) -> EventRecord:
        try:
            return await self._services.catalogue.find_events(stream, broadcast)
        except BroadcastNotFound:
            if on_air:
                # It ended before anything was stored.
                return EventRecord(stream=stream, broadcast=broadcast)
            raise

    @contextmanager
    def _counted(self, *, waits: bool) -> Iterator[None]:
        """Raises TooManyFollowers."""
        if waits and self._followers >= MAX_FOLLOWERS:
            raise TooManyFollowers("too many requests wait for events: ask again in a moment")
        self._followers += waits
        try:
            yield
        finally:
            self._followers -= waits


def _page(record: EventRecord, part: Part, *, on_air: bool) -> EventPage:
    events = record.after(part.after, part.limit).events
    return EventPage(
        stream=record.stream,
        broadcast=record.broadcast,
        state=_state(record, on_air=on_air),
        events=events,
        last=events[-1].number if events else part.after,
        dropped=record.dropped,
    )


def _state(record: EventRecord, *, on_air: bool) -> BroadcastState:
    """``on_air``: the stream's claim names the broadcast, which may be ending."""
    if record.complete:
        return BroadcastState.ENDED
    if on_air:
        return BroadcastState.LIVE
    has_end = any(event.code == EventCode.ENDED for event in record.events)
    return BroadcastState.ENDED if has_end else BroadcastState.INTERRUPTED


def events_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/streams/{stream}", tags=["live"], route_class=GuardedRoute)
    pages = EventPages(services)
    # A route's problems replace the guard's with the same status, so the guard's 429 is repeated.
    problems = (BROADCAST_NOT_FOUND, INVALID_REQUEST, TOO_MANY_FOLLOWERS, TOO_MANY_WRONG_TOKENS, *OF_OWNERS)

    @router.get(
        "/events",
        summary="What happened to the broadcast on air, or else to the last one",
        description="To follow one broadcast beyond its end, use its own address.",
        responses=responses(STREAM_NOT_FOUND, *problems),
    )
    @needs(Scope.READ)
    async def get_events(stream: StreamName, part: RequestedPart) -> EventPage:
        return await pages.of_current(stream, part)

    @router.get(
        "/broadcasts/{broadcast}/events",
        summary="What happened to a broadcast",
        description=(
            "To follow it, ask again with `after` set to `last` and with `wait`, until `state` is no longer `live`."
        ),
        responses=responses(*problems),
    )
    @needs(Scope.READ)
    async def get_broadcast_events(stream: StreamName, broadcast: BroadcastId, part: RequestedPart) -> EventPage:
        return await pages.of_broadcast(stream, broadcast, part)

    return router
