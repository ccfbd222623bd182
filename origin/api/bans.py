"""Bans: a stream refuses its publishers for a time, or until the ban is lifted. Both need an API token."""

from fastapi import APIRouter

from origin.api.errors import NotBanned
from origin.api.guard import GuardedRoute, needs
from origin.api.known_problems import NOT_BANNED, OF_BODIES, OF_OWNERS, STREAM_NOT_FOUND, responses
from origin.api.live import end_broadcast
from origin.api.models import Banned, BanRequest, ban_view
from origin.api.operation import CurrentOperation
from origin.api.parameters import StreamName
from origin.api.services import ApiServices
from storage.catalogue.records import FOREVER
from storage.catalogue.scopes import Scope

BANNED = "the operator has banned this stream"
# Characters of the reason that a publisher gets.
MAX_WORDS = 200


def bans_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/streams/{stream}/ban", tags=["live"], route_class=GuardedRoute)

    @router.post(
        "",
        summary="Refuse a stream's publishers, and end its broadcast",
        responses=responses(STREAM_NOT_FOUND, *OF_BODIES, *OF_OWNERS),
    )
    @needs(Scope.OPERATE, "ban")
    async def ban_stream(
        stream: StreamName, operation: CurrentOperation, request: BanRequest | None = None
    ) -> Banned:
        request = request or BanRequest()
        operation.note(for_s=request.for_s, reason=request.reason)
        now = services.clock()
        until = FOREVER if request.for_s is None else now + request.for_s
        # Ban before disconnecting: a disconnected broadcaster returns within a second.
        record = await services.catalogue.ban(stream, until, request.reason)
        view = ban_view(record, now)
        assert view is not None
        words = f"{BANNED}: {request.reason}" if request.reason else BANNED
        ended = await end_broadcast(services, stream, words[:MAX_WORDS])
        return Banned(stream=stream, until=view.until, reason=view.reason, ended=ended)

    @router.delete(
        "",
        status_code=204,
        summary="Lift the ban of a stream",
        responses=responses(STREAM_NOT_FOUND, NOT_BANNED),
    )
    @needs(Scope.OPERATE, "unban")
    async def unban_stream(stream: StreamName) -> None:
        record = await services.catalogue.get_stream(stream)
        if not record.is_banned(services.clock()):
            raise NotBanned(f"{stream} is not banned: there is nothing to lift")
        await services.catalogue.ban(stream, None)

    return router
