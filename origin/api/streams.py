"""Streams: list, create, change, delete, and their keys. All need an API token."""

import asyncio
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import JsonValue

from live.status import StreamState, StreamStatus
from media.roles import Role
from origin.api.guard import GuardedRoute, needs
from origin.api.known_problems import (
    BAD_STREAM_NAME,
    CLUSTER_UNAVAILABLE,
    INVALID_REQUEST,
    NO_BACKUP_KEY,
    OF_BODIES,
    OF_OWNERS,
    STREAM_EXISTS,
    STREAM_NOT_FOUND,
    STREAM_PURGING,
    responses,
)
from origin.api.live import end_broadcast, live_latency, live_status, live_statuses
from origin.api.models import NewStream, RetentionView, StreamChange, StreamKey, StreamView, ban_view
from origin.api.operation import CurrentOperation
from origin.api.parameters import StreamName
from origin.api.services import ApiServices
from origin.api.stream_keys import key_warnings
from storage.catalogue import StreamNotFound
from storage.catalogue.records import StreamRecord, StreamSettings
from storage.catalogue.scopes import Scope
from storage.interface import StorageError

ORDER = {StreamState.LIVE: 0, StreamState.WAITING: 1, StreamState.IDLE: 2}


def differences(old: StreamSettings, new: StreamSettings) -> dict[str, JsonValue]:
    """The settings that change, each with its old and its new value."""
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    return {name: {"from": before[name], "to": value} for name, value in after.items() if value != before[name]}


async def known_streams(services: ApiServices, on_air: Iterable[str]) -> list[StreamRecord]:
    """All streams. If the store does not answer, those of the last answer; without one, those that are ``on_air``.
    Raises StorageError if there is none."""
    try:
        return await services.catalogue.find_streams()
    except StorageError as error:
        found = await asyncio.gather(*map(services.catalogue.find_stream, on_air), return_exceptions=True)
        records = [record for record in found if isinstance(record, StreamRecord)]
        if not records:
            raise error
        return records


def stream_view(services: ApiServices, record: StreamRecord, status: StreamStatus | None) -> StreamView:
    status = status or StreamStatus(stream=record.stream, state=StreamState.IDLE)
    now, retention = services.clock(), record.settings.retention
    live = {name: getattr(status, name) for name in StreamStatus.model_fields}
    live["warnings"] = (*status.warnings, *key_warnings(record, now))
    return StreamView(
        **live,
        watch=services.watch_url(record.stream),
        server=services.rtmp_url,
        title=record.settings.title,
        private=record.settings.private,
        key_created_at=record.key_created_at,
        backup_key_created_at=record.backup_key_created_at,
        reconnect_window_s=record.settings.reconnect_window_s,
        slate=record.settings.slate,
        retention=None if retention is None else RetentionView(**retention.model_dump()),
        ban=ban_view(record, now),
        last_live_at=record.last_live_at,
    )


async def all_streams(services: ApiServices) -> list[StreamView]:
    """Every stream, live ones first. Raises ClusterUnavailable, StorageError."""
    statuses = await live_statuses(services)
    records = await known_streams(services, statuses)
    views = [stream_view(services, record, statuses.get(record.stream)) for record in records]
    return sorted(views, key=lambda view: (ORDER[view.state], view.stream))


def streams_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/streams", tags=["streams"], route_class=GuardedRoute)

    def with_key(stream: str, key: str) -> StreamKey:
        return StreamKey(stream=stream, server=services.rtmp_url, key=key, watch=services.watch_url(stream))

    @router.get("", summary="Every stream, live ones first", responses=responses(CLUSTER_UNAVAILABLE))
    @needs(Scope.READ)
    async def list_streams() -> list[StreamView]:
        return await all_streams(services)

    @router.post(
        "",
        status_code=201,
        summary="Create a stream",
        responses={
            201: {"headers": {"Location": {"description": "the stream's path", "schema": {"type": "string"}}}},
            **responses(STREAM_EXISTS, STREAM_PURGING, BAD_STREAM_NAME, *OF_BODIES),
        },
    )
    @needs(Scope.ADMIN, "stream-create")
    async def create_stream(new: NewStream, response: Response, operation: CurrentOperation) -> StreamKey:
        settings = StreamSettings(
            title=new.title,
            ladder=new.ladder,
            private=new.private,
            reconnect_window_s=new.reconnect_window_s,
            slate=new.slate,
            retention=None if new.retention is None else new.retention.record(),
        )
        operation.stream = new.stream
        operation.note(**settings.model_dump(mode="json", exclude_defaults=True))
        _, key = await services.catalogue.create_stream(new.stream, settings, now=services.clock())
        services.on_key(new.stream, key)
        services.on_privacy(new.stream)
        response.headers["Location"] = f"{services.path_prefix}/api/v1/streams/{new.stream}"
        return with_key(new.stream, key)

    of_one_stream = responses(STREAM_NOT_FOUND, *OF_OWNERS)

    @router.get("/{stream}", summary="One stream in full", responses=of_one_stream)
    @needs(Scope.READ)
    async def get_stream(stream: StreamName) -> StreamView:
        record = await services.catalogue.find_stream(stream)
        view = stream_view(services, record, await live_status(services, stream))
        return view.model_copy(update={"latency": await live_latency(services, stream)})

    @router.patch(
        "/{stream}",
        summary="Change a stream's settings, from its next broadcast on",
        responses=responses(STREAM_NOT_FOUND, *OF_BODIES, *OF_OWNERS),
    )
    @needs(Scope.OPERATE, "stream-change")
    async def change_stream(stream: StreamName, change: StreamChange, operation: CurrentOperation) -> StreamView:
        changes = {name: getattr(change, name) for name in change.model_fields_set}
        if changes.get("title", "") is None:
            changes["title"] = ""
        if change.retention is not None:
            changes["retention"] = change.retention.record()

        def apply(record: StreamRecord) -> StreamRecord:
            changed = record.settings.model_copy(update=changes)
            operation.note(**differences(record.settings, changed))
            return record.model_copy(update={"settings": changed})

        record = await services.catalogue.update_stream(stream, apply)
        if "private" in changes:
            services.on_privacy(stream)
        return stream_view(services, record, await live_status(services, stream))

    @router.delete(
        "/{stream}",
        status_code=204,
        summary="Delete a stream and its keys",
        description="With `purge`, also all its recordings, kept ones too, in the background. Until they are gone, "
        "no stream can have its name. It also deletes the recordings of a stream that was deleted before.",
        responses=responses(STREAM_NOT_FOUND, INVALID_REQUEST, *OF_OWNERS),
    )
    @needs(Scope.ADMIN, "stream-delete")
    async def delete_stream(
        stream: StreamName,
        operation: CurrentOperation,
        purge: Annotated[bool, Query(description="delete its recordings too", examples=[False])] = False,
    ) -> None:
        if purge:
            operation.note(purge=True)
            await services.keeper.begin_purge(stream)
        else:
            await services.catalogue.get_stream(stream)
        # Delete the key before disconnecting: a disconnected broadcaster returns within a second.
        try:
            await services.catalogue.delete_stream(stream)
        except StreamNotFound:
            if not purge:
                raise
        services.on_key(stream, None)
        await end_broadcast(services, stream, "the stream was deleted")

    @router.post(
        "/{stream}/rotate-key",
        summary="Give a stream a new key",
        responses=responses(STREAM_NOT_FOUND),
    )
    @needs(Scope.ADMIN, "key-rotate")
    async def rotate_key(stream: StreamName, operation: CurrentOperation) -> StreamKey:
        operation.note(name=Role.PRIMARY)
        key = await services.catalogue.rotate_key(stream, now=services.clock())
        services.on_key(stream, key)
        return with_key(stream, key)

    @router.post(
        "/{stream}/backup-key",
        summary="Give a stream a backup key, or a new one",
        responses=responses(STREAM_NOT_FOUND),
    )
    @needs(Scope.ADMIN, "backup-key-rotate")
    async def rotate_backup_key(stream: StreamName) -> StreamKey:
        return with_key(stream, await services.catalogue.rotate_backup_key(stream, now=services.clock()))

    @router.delete(
        "/{stream}/backup-key",
        status_code=204,
        summary="Remove a stream's backup key",
        responses=responses(STREAM_NOT_FOUND, NO_BACKUP_KEY),
    )
    @needs(Scope.ADMIN, "backup-key-remove")
    async def remove_backup_key(stream: StreamName) -> None:
        await services.catalogue.remove_backup_key(stream)

    return router
