"""Live broadcasts: kill, switch, charts and picture; and the list of past ones. All need an API token."""

import asyncio
from contextlib import suppress

from fastapi import APIRouter, Response

import cluster.errors
from cluster.claims import Claim, ClaimState
from cluster.errors import NoOwner, OwnerFailed, OwnerTimeout
from cluster.questions import (
    DisconnectCommand,
    HistoryQuery,
    KillCommand,
    LatencyQuery,
    StatusQuery,
    SwitchCommand,
    Switching,
    ThumbnailQuery,
)
from live.status import History, LatencyStatus, StreamState, StreamStatus
from origin.api.errors import NoStandby, NoThumbnail, NotLive
from origin.api.guard import GuardedRoute, needs
from origin.api.known_problems import (
    NO_STANDBY,
    NO_THUMBNAIL,
    NOT_LIVE,
    OF_BODIES,
    OF_OWNERS,
    STREAM_NOT_FOUND,
    responses,
)
from origin.api.models import BroadcastView, Killed, KillRequest, Switched, broadcast_view
from origin.api.operation import CurrentOperation
from origin.api.parameters import StreamName
from origin.api.services import ApiServices
from storage.catalogue.scopes import Scope
from storage.interface import StoreUnavailable

ASK_TIMEOUT_S = 5.0


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


async def disconnect_key(services: ApiServices, stream: str, key_hash: str, reason: str) -> None:
    """Disconnect the publisher that uses a key, if there is one. Raises OwnerFailed, OwnerTimeout,
    ClusterUnavailable."""
    command = DisconnectCommand(key_hash=key_hash, reason=reason)
    with suppress(NoOwner):
        await services.cluster.ask_owner(stream, command, timeout=ASK_TIMEOUT_S)


async def switch_publishers(services: ApiServices, stream: str) -> Switching | None:
    """Put the stream's publisher on standby on air; None if the stream is idle. Raises NoStandby, OwnerFailed,
    OwnerTimeout, ClusterUnavailable."""
    try:
        return await services.cluster.ask_owner(stream, SwitchCommand(), timeout=ASK_TIMEOUT_S)
    except NoOwner:
        return None
    except OwnerFailed as failed:
        if failed.code == cluster.errors.NoStandby.code:
            raise NoStandby(str(failed)) from failed
        raise


async def live_latency(services: ApiServices, stream: str) -> tuple[LatencyStatus, ...]:
    """The stream's latencies, empty if it is idle. Raises OwnerFailed, OwnerTimeout, ClusterUnavailable."""
    try:
        answer = await services.cluster.ask_owner(stream, LatencyQuery(), timeout=ASK_TIMEOUT_S)
    except NoOwner:
        return ()
    return answer.stages


def live_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/streams/{stream}", tags=["live"], route_class=GuardedRoute)

    @router.post(
        "/kill",
        summary="End a live broadcast at once",
        responses=responses(STREAM_NOT_FOUND, NOT_LIVE, *OF_BODIES, *OF_OWNERS),
    )
    @needs(Scope.OPERATE, "kill")
    async def kill_stream(
        stream: StreamName, operation: CurrentOperation, request: KillRequest | None = None
    ) -> Killed:
        request = request or KillRequest()
        operation.note(ban_s=request.ban_s, reason=request.reason)
        status = await live_status(services, stream)
        if status is None:
            # Only now: a store that fails must not prevent the end of a broadcast.
            await services.catalogue.get_stream(stream)
            raise NotLive(f"{stream} is not live: there is nothing to end")
        operation.note(broadcast=status.broadcast)
        banned_until = None
        if request.ban_s > 0:
            # Ban before disconnecting: a disconnected broadcaster returns within a second.
            banned_until = services.clock() + request.ban_s
            try:
                own_words = request.reason if "reason" in request.model_fields_set else ""
                await services.catalogue.ban(stream, banned_until, own_words)
            except StoreUnavailable as error:
                raise StoreUnavailable(
                    f"the ban cannot be stored, so the broadcast goes on: {error}; to end it, end it without a ban"
                ) from error
        if not await end_broadcast(services, stream, request.reason):
            raise NotLive(f"{stream} has just ended")
        return Killed(stream=stream, banned_until=banned_until)

    @router.post(
        "/switch",
        status_code=202,
        summary="Put the publisher on standby on air",
        responses=responses(STREAM_NOT_FOUND, NOT_LIVE, NO_STANDBY, *OF_OWNERS),
    )
    @needs(Scope.OPERATE, "publisher-switch")
    async def switch_stream(stream: StreamName, operation: CurrentOperation) -> Switched:
        switching = await switch_publishers(services, stream)
        if switching is None:
            await services.catalogue.get_stream(stream)
            raise NotLive(f"{stream} is not live: there is nothing to switch")
        operation.note(to=switching.to.value)
        return Switched(stream=stream, to=switching.to)

    @router.get(
        "/history",
        summary="The last minutes of the source, a sample a second",
        responses=responses(STREAM_NOT_FOUND, *OF_OWNERS),
    )
    @needs(Scope.READ)
    async def get_history(stream: StreamName) -> History:
        try:
            return await services.cluster.ask_owner(stream, HistoryQuery(), timeout=ASK_TIMEOUT_S)
        except NoOwner:
            await services.catalogue.find_stream(stream)
            return History()

    @router.get(
        "/thumbnail.jpg",
        summary="The newest picture of the source",
        response_class=Response,
        responses={
            200: {"content": {"image/jpeg": {}}, "description": "a JPEG"},
            **responses(NO_THUMBNAIL, *OF_OWNERS),
        },
    )
    @needs(Scope.READ)
    async def get_thumbnail(stream: StreamName) -> Response:
        try:
            answer = await services.cluster.ask_owner(stream, ThumbnailQuery(), timeout=ASK_TIMEOUT_S)
        except NoOwner:
            answer = None
        if answer is None or not answer.jpeg:
            raise NoThumbnail(f"there is no picture of {stream} yet")
        return Response(answer.jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    @router.get(
        "/broadcasts",
        summary="The stream's broadcasts, newest first",
        responses=responses(STREAM_NOT_FOUND, *OF_OWNERS),
    )
    @needs(Scope.READ)
    async def list_broadcasts(stream: StreamName) -> list[BroadcastView]:
        await services.catalogue.get_stream(stream)
        live, now = await live_status(services, stream), services.clock()
        return [
            broadcast_view(record, live, now=now, url=services.public_url)
            for record in await services.catalogue.list_broadcasts(stream)
        ]

    return router
