"""Live broadcasts: kill, charts and picture; and the list of past ones. All need the operator's token."""

import asyncio

from fastapi import APIRouter, Response

from cluster.claims import Claim, ClaimState
from cluster.errors import NoOwner, OwnerFailed, OwnerTimeout
from cluster.questions import HistoryQuery, KillCommand, LatencyQuery, StatusQuery, ThumbnailQuery
from live.status import History, LatencyStatus, StreamState, StreamStatus
from origin.api.bounded import BoundedRoute
from origin.api.errors import NoThumbnail, NotLive
from origin.api.models import BroadcastView, Killed, KillRequest, broadcast_view
from origin.api.problems import documented
from origin.api.services import ApiServices

ASK_TIMEOUT_S = 5.0
NOT_FOUND = documented(404, "stream-not-found", "there is no stream studio-a")
NOT_LIVE = documented(409, "not-live", "studio-a is not live: there is nothing to end")
NO_THUMBNAIL = documented(404, "no-thumbnail", "there is no picture of studio-a yet")


async def live_status(services: ApiServices, stream: str) -> StreamStatus | None:
    """The stream's status, or None if it is idle. Raises OwnerFailed, OwnerTimeout, ClusterUnavailable."""
    try:
        return await services.cluster.ask_owner(stream, StatusQuery(), timeout=ASK_TIMEOUT_S)
    except NoOwner:
        return None


async def live_statuses(services: ApiServices) -> dict[str, StreamStatus]:
    """The status of every stream that is not idle, from all owners at once. Raises ClusterUnavailable."""
    claims = await services.cluster.claims()
    statuses = await asyncio.gather(*(_claimed_status(services, claim) for claim in claims))
    return {status.stream: status for status in statuses if status is not None}


async def _claimed_status(services: ApiServices, claim: Claim) -> StreamStatus | None:
    """The status of a claimed stream. If its owner does not answer, it has only the claim's values, so that one
    owner cannot make the list fail."""
    try:
        return await live_status(services, claim.stream)
    except (OwnerFailed, OwnerTimeout):
        state = StreamState.WAITING if claim.state is ClaimState.WAITING else StreamState.LIVE
        return StreamStatus(stream=claim.stream, state=state, broadcast=claim.broadcast)


async def end_broadcast(services: ApiServices, stream: str, reason: str) -> bool:
    """End the stream's broadcast; False if it is idle. Raises OwnerFailed, OwnerTimeout, ClusterUnavailable."""
    try:
        await services.cluster.ask_owner(stream, KillCommand(reason=reason), timeout=ASK_TIMEOUT_S)
    except NoOwner:
        return False
    return True


async def live_latency(services: ApiServices, stream: str) -> tuple[LatencyStatus, ...]:
    """The stream's latencies, empty if it is idle. Raises OwnerFailed, OwnerTimeout, ClusterUnavailable."""
    try:
        answer = await services.cluster.ask_owner(stream, LatencyQuery(), timeout=ASK_TIMEOUT_S)
    except NoOwner:
        return ()
    return answer.stages


def live_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/streams/{stream}", tags=["live"], route_class=BoundedRoute)

    @router.post("/kill", summary="End a live broadcast at once", responses={**NOT_FOUND, **NOT_LIVE})
    async def kill(stream: str, request: KillRequest | None = None) -> Killed:
        request = request or KillRequest()
        await services.catalogue.get_stream(stream)
        if await live_status(services, stream) is None:
            raise NotLive(f"{stream} is not live: there is nothing to end")
        banned_until = None
        if request.ban_s > 0:
            # Ban before disconnecting: a disconnected broadcaster returns within a second.
            banned_until = services.clock() + request.ban_s
            await services.catalogue.ban(stream, banned_until)
        if not await end_broadcast(services, stream, request.reason):
            raise NotLive(f"{stream} has just ended")
        return Killed(stream=stream, banned_until=banned_until)

    @router.get("/history", summary="The last minutes of the source, a sample a second", responses=NOT_FOUND)
    async def history(stream: str) -> History:
        await services.catalogue.get_stream(stream)
        try:
            return await services.cluster.ask_owner(stream, HistoryQuery(), timeout=ASK_TIMEOUT_S)
        except NoOwner:
            return History()

    @router.get(
        "/thumbnail.jpg",
        summary="The newest picture of the source",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}, "description": "a JPEG"}, **NO_THUMBNAIL},
    )
    async def thumbnail(stream: str) -> Response:
        try:
            answer = await services.cluster.ask_owner(stream, ThumbnailQuery(), timeout=ASK_TIMEOUT_S)
        except NoOwner:
            answer = None
        if answer is None or not answer.jpeg:
            raise NoThumbnail(f"there is no picture of {stream} yet")
        return Response(answer.jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    @router.get("/broadcasts", summary="The stream's broadcasts, newest first", responses=NOT_FOUND)
    async def broadcasts(stream: str) -> list[BroadcastView]:
        await services.catalogue.get_stream(stream)
        live, now = await live_status(services, stream), services.clock()
        return [
            broadcast_view(record, live, now=now, url=services.public_url)
            for record in await services.catalogue.list_broadcasts(stream)
        ]

    return router
