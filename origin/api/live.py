"""What is on the air: kill, charts, picture, and what was. All behind the operator's token."""

from fastapi import APIRouter, Response

from live.bus_interface import NoResponder
from live.status import History, KillCommand, Latencies, LatencyStatus, Query, StreamStatus, Thumbnail
from origin.api.bounded import BoundedRoute
from origin.api.errors import NoThumbnail, NotLive
from origin.api.models import BroadcastView, Killed, KillRequest, broadcast_view
from origin.api.problems import documented
from origin.api.services import ApiServices

COMMAND_TIMEOUT_S = 5.0
NOT_FOUND = documented(404, "stream-not-found", "there is no stream studio-a")
NOT_LIVE = documented(409, "not-live", "studio-a is not live: there is nothing to end")
NO_THUMBNAIL = documented(404, "no-thumbnail", "there is no picture of studio-a yet")


def live_status(services: ApiServices, stream: str) -> StreamStatus | None:
    """None where the stream is idle."""
    status = services.bus.state.get(f"stream.{stream}")
    return status if isinstance(status, StreamStatus) else None


async def end_broadcast(services: ApiServices, stream: str, reason: str) -> bool:
    """Whether there was one to end. Raises RequestTimeout."""
    try:
        await services.bus.request(f"command.{stream}", KillCommand(reason=reason), timeout=COMMAND_TIMEOUT_S)
    except NoResponder:
        return False
    return True


async def live_latency(services: ApiServices, stream: str) -> tuple[LatencyStatus, ...]:
    """Nothing where the stream is idle."""
    try:
        answer = await services.bus.request(f"latency.{stream}", Query(), timeout=COMMAND_TIMEOUT_S)
    except NoResponder:
        return ()
    return answer.stages if isinstance(answer, Latencies) else ()


def live_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/streams/{stream}", tags=["live"], route_class=BoundedRoute)

    @router.post("/kill", summary="End a live broadcast at once", responses={**NOT_FOUND, **NOT_LIVE})
    async def kill(stream: str, request: KillRequest | None = None) -> Killed:
        request = request or KillRequest()
        await services.catalogue.get_stream(stream)
        if live_status(services, stream) is None:
            raise NotLive(f"{stream} is not live: there is nothing to end")
        banned_until = None
        if request.ban_s > 0:
            # The ban first: a broadcaster that is disconnected comes back within a second.
            banned_until = services.clock() + request.ban_s
            await services.catalogue.ban(stream, banned_until)
        if not await end_broadcast(services, stream, request.reason):
            raise NotLive(f"{stream} has just ended by itself")
        return Killed(stream=stream, banned_until=banned_until)

    @router.get("/history", summary="The last minutes of the source, a sample a second", responses=NOT_FOUND)
    async def history(stream: str) -> History:
        await services.catalogue.get_stream(stream)
        try:
            answer = await services.bus.request(f"history.{stream}", Query(), timeout=COMMAND_TIMEOUT_S)
        except NoResponder:
            return History()
        assert isinstance(answer, History)
        return answer

    @router.get(
        "/thumbnail.jpg",
        summary="The newest picture of the source",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}, "description": "a JPEG"}, **NO_THUMBNAIL},
    )
    async def thumbnail(stream: str) -> Response:
        try:
            answer = await services.bus.request(f"thumbnail.{stream}", Query(), timeout=COMMAND_TIMEOUT_S)
        except NoResponder:
            answer = None
        if not isinstance(answer, Thumbnail) or not answer.jpeg:
            raise NoThumbnail(f"there is no picture of {stream} yet")
        return Response(answer.jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    @router.get("/broadcasts", summary="The stream's broadcasts, newest first", responses=NOT_FOUND)
    async def broadcasts(stream: str) -> list[BroadcastView]:
        await services.catalogue.get_stream(stream)
        live, now = live_status(services, stream), services.clock()
        return [
            broadcast_view(record, live, now=now, url=services.public_url)
            for record in await services.catalogue.list_broadcasts(stream)
        ]

    return router
