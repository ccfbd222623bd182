"""The route of the server's events."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from origin.api.events import EventPages, Part
from origin.api.guard import GuardedRoute, needs
from origin.api.known_problems import TOO_MANY_FOLLOWERS, TOO_MANY_WRONG_TOKENS, responses
from origin.api.models import EventPage, ServerState
from origin.api.server_events import Reader, ServerEvents
from origin.api.services import ApiServices
from origin.api.streams import all_streams
from storage.catalogue.events import MAX_EVENTS
from storage.catalogue.scopes import Scope

# A token that was revoked or has expired is noticed within this time.
CHECK_TOKEN_S = 15.0
DESCRIPTION = """\
Server-sent events, each with a name and JSON:

- `streams`: all streams; always the first
- `stream`: a stream that was created or changed, as in `streams`
- `removed`: a stream that was deleted
- `event`: an event of a broadcast, as in its log, with `stream` and `broadcast`
- `server`: the server itself, once a second
- `trouble`: the streams are not known at the moment, and why

A client that was disconnected connects again, and gets all streams first. The events that it missed are in the
logs of the broadcasts. The answer ends when the token is no longer valid and when the server stops.
"""


def events_of_server(services: ApiServices) -> ServerEvents:
    pages = EventPages(services)

    async def page(stream: str, broadcast: str, after: int) -> EventPage:
        return await pages.of_broadcast(stream, broadcast, Part(after, MAX_EVENTS, wait_s=0))

    def state() -> ServerState:
        return ServerState(at=services.clock(), draining=services.drain.state, warnings=tuple(services.warnings()))

    return ServerEvents(lambda: all_streams(services), page, state)


def server_events_router(services: ApiServices, events: ServerEvents) -> APIRouter:
    router = APIRouter(tags=["server"], route_class=GuardedRoute)

    async def reader() -> AsyncIterator[Reader]:
        with events.reading() as reader:
            yield reader

    @router.get(
        "/events",
        summary="Follow all streams and the server",
        description=DESCRIPTION,
        response_class=EventSourceResponse,
        responses=responses(TOO_MANY_FOLLOWERS, TOO_MANY_WRONG_TOKENS),
    )
    @needs(Scope.READ)
    async def follow_server(
        request: Request, reader: Annotated[Reader, Depends(reader)]
    ) -> AsyncIterator[ServerSentEvent]:
        checked = services.monotonic()
        async for message in reader.messages():
            if services.monotonic() - checked >= CHECK_TOKEN_S:
                if not await services.auth.admits(request, Scope.READ):
                    return
                checked = services.monotonic()
            yield message

    return router
