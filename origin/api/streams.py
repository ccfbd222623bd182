"""Streams: list, create, change, delete, and their keys. All need the operator's token."""

from fastapi import APIRouter, Response

from live.status import StreamState, StreamStatus
from origin.api.bounded import BoundedRoute
from origin.api.live import NOT_FOUND, end_broadcast, live_latency, live_status, live_statuses
from origin.api.models import NewStream, StreamChange, StreamKey, StreamView
from origin.api.problems import documented
from origin.api.services import ApiServices
from storage.catalogue.records import StreamRecord, StreamSettings

ORDER = {StreamState.LIVE: 0, StreamState.WAITING: 1, StreamState.IDLE: 2}


def streams_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/streams", tags=["streams"], route_class=BoundedRoute)

    def view(record: StreamRecord, status: StreamStatus | None) -> StreamView:
        status = status or StreamStatus(stream=record.stream, state=StreamState.IDLE)
        return StreamView(
            **{name: getattr(status, name) for name in StreamStatus.model_fields},
            watch=services.watch_url(record.stream),
            title=record.settings.title,
            private=record.settings.private,
        )

    def with_key(stream: str, key: str) -> StreamKey:
        services.on_key(stream, key)
        return StreamKey(stream=stream, server=services.rtmp_url, key=key, watch=services.watch_url(stream))

    @router.get("", summary="Every stream, live ones first")
    async def list_streams() -> list[StreamView]:
        records = await services.catalogue.list_streams()
        statuses = await live_statuses(services)
        views = [view(record, statuses.get(record.stream)) for record in records]
        return sorted(views, key=lambda view: (ORDER[view.state], view.stream))

    @router.post(
        "",
        status_code=201,
        summary="Make a stream",
        responses=documented(409, "stream-exists", "there is a stream studio-a already"),
    )
    async def create_stream(new: NewStream, response: Response) -> StreamKey:
        settings = StreamSettings(title=new.title, ladder=new.ladder, private=new.private)
        _, key = await services.catalogue.create_stream(new.stream, settings, now=services.clock())
        response.headers["Location"] = f"/api/v1/streams/{new.stream}"
        return with_key(new.stream, key)

    @router.get("/{stream}", summary="One stream in full", responses=NOT_FOUND)
    async def get_stream(stream: str) -> StreamView:
        record = await services.catalogue.get_stream(stream)
        stream_view = view(record, await live_status(services, stream))
        return stream_view.model_copy(update={"latency": await live_latency(services, stream)})

    @router.patch(
        "/{stream}", summary="Change a stream's settings, from its next broadcast on", responses=NOT_FOUND
    )
    async def change_stream(stream: str, change: StreamChange) -> StreamView:
        changes = {name: getattr(change, name) for name in change.model_fields_set}
        if changes.get("title", "") is None:
            changes["title"] = ""

        def apply(record: StreamRecord) -> StreamRecord:
            return record.model_copy(update={"settings": record.settings.model_copy(update=changes)})

        record = await services.catalogue.update_stream(stream, apply)
        return view(record, await live_status(services, stream))

    @router.delete("/{stream}", status_code=204, summary="Delete a stream and its key", responses=NOT_FOUND)
    async def delete_stream(stream: str) -> None:
        await services.catalogue.get_stream(stream)
        # Delete the key before disconnecting: a disconnected broadcaster returns within a second.
        await services.catalogue.delete_stream(stream)
        services.on_key(stream, None)
        await end_broadcast(services, stream, "the stream was deleted")

    @router.post("/{stream}/rotate-key", summary="Give a stream a new key", responses=NOT_FOUND)
    async def rotate_key(stream: str) -> StreamKey:
        return with_key(stream, await services.catalogue.rotate_key(stream))

    return router
