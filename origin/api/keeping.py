"""Keeping and deleting recordings, and what they occupy. All need an API token."""

from fastapi import APIRouter

from origin.api.guard import GuardedRoute, needs
from origin.api.known_problems import (
    BROADCAST_IN_USE,
    BROADCAST_KEPT,
    BROADCAST_NOT_FOUND,
    CLUSTER_UNAVAILABLE,
    OF_BODIES,
    responses,
)
from origin.api.models import StoreUse, SweepRequest, SweepResult, store_use, sweep_result
from origin.api.operation import CurrentOperation
from origin.api.parameters import BroadcastId, StreamName
from origin.api.services import ApiServices
from storage.catalogue.scopes import Scope


def keeping_router(services: ApiServices) -> APIRouter:
    router = APIRouter(tags=["recordings"], route_class=GuardedRoute)
    keeper = services.keeper

    @router.delete(
        "/streams/{stream}/broadcasts/{broadcast}",
        status_code=204,
        summary="Delete a recording",
        description="From now on it counts as deleted; its media is removed in the background.",
        responses=responses(BROADCAST_NOT_FOUND, BROADCAST_IN_USE, BROADCAST_KEPT, CLUSTER_UNAVAILABLE),
    )
    @needs(Scope.ADMIN, "broadcast-delete")
    async def delete_broadcast(stream: StreamName, broadcast: BroadcastId, operation: CurrentOperation) -> None:
        operation.note(broadcast=broadcast)
        deleted = await keeper.delete(stream, broadcast)
        operation.note(bytes=deleted.bytes)

    @router.put(
        "/streams/{stream}/broadcasts/{broadcast}/keep",
        status_code=204,
        summary="Keep a recording: no retention deletes it",
        responses=responses(BROADCAST_NOT_FOUND),
    )
    @needs(Scope.OPERATE, "broadcast-keep")
    async def keep_broadcast(stream: StreamName, broadcast: BroadcastId, operation: CurrentOperation) -> None:
        operation.note(broadcast=broadcast)
        await keeper.keep(stream, broadcast, kept=True)

    @router.delete(
        "/streams/{stream}/broadcasts/{broadcast}/keep",
        status_code=204,
        summary="Release a kept recording",
        responses=responses(BROADCAST_NOT_FOUND),
    )
    @needs(Scope.ADMIN, "broadcast-release")
    async def release_broadcast(stream: StreamName, broadcast: BroadcastId, operation: CurrentOperation) -> None:
        operation.note(broadcast=broadcast)
        await keeper.keep(stream, broadcast, kept=False)

    @router.post(
        "/sweep",
        summary="Delete the recordings that no retention covers",
        description="The server does so every `[retention] sweep_every`. Media is removed in the background.",
        responses=responses(CLUSTER_UNAVAILABLE, *OF_BODIES),
    )
    @needs(Scope.ADMIN, "sweep")
    async def sweep(operation: CurrentOperation, request: SweepRequest | None = None) -> SweepResult:
        dry_run = request is not None and request.dry_run
        operation.note(dry_run=dry_run)
        chosen = await keeper.sweep(dry_run=dry_run)
        operation.note(recordings=len(chosen))
        return sweep_result(chosen, dry_run=dry_run)

    @router.get("/usage", summary="What recordings occupy, and the room for more", responses=responses())
    @needs(Scope.READ)
    async def get_usage() -> StoreUse:
        return store_use(await keeper.usage())

    return router
