"""The streams themselves: list, make, change, delete, and their keys. All behind the operator's token."""

from fastapi import APIRouter, Response

from live.status import StreamState, StreamStatus
from origin.api.bounded import BoundedRoute
from origin.api.live import NOT_FOUND, end_broadcast, live_latency, live_status
from origin.api.models import NewStream, StreamChange, StreamKey, StreamView
from origin.api.problems import documented
from origin.api.services import ApiServices
from storage.catalogue.records import StreamRecord, StreamSettings

ORDER = {StreamState.LIVE: 0, StreamState.WAITING: 1, StreamState.IDLE: 2}


def streams_router(services: ApiServices) -> APIRouter:
    router = APIRouter(prefix="/streams", tags=["streams"], route_class=BoundedRoute)

    def view(record: StreamRecord) -> StreamView:
        status = live_status(services, record.stream)
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
        views = [view(record) for record in await services.catalogue.list_streams()]
        return sorted(views, key=lambda one: (ORDER[one.state], one.stream))

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
        in_full = view(await services.catalogue.get_stream(stream))
        return in_full.model_copy(update={"latency": await live_latency(services, stream)})

    @router.patch(
        "/{stream}", summary="Change a stream's settings, from its next broadcast on", responses=NOT_FOUND
    )
    async def change_stream(stream: str, change: StreamChange) -> StreamView:
        given = {name: getattr(change, name) for name in change.model_fields_set}
        if given.get("title", "") is None:
            given["title"] = ""

        def apply(record: StreamRecord) -> StreamRecord:
            return record.model_copy(update={"settings": record.settings.model_copy(update=given)})

        return view(await services.catalogue.update_stream(stream, apply))

    @router.delete("/{stream}", status_code=204, summary="Delete a stream and its key", responses=NOT_FOUND)
    async def delete_stream(stream: str) -> None:
        await services.catalogue.get_stream(stream)
        # The key first: a broadcaster that is disconnected comes back within a second.
        await services.catalogue.delete_stream(stream)
        services.on_key(stream, None)
        await end_broadcast(services, stream, "the stream was deleted")

    @router.post("/{stream}/rotate-key", summary="Give a stream a new key", responses=NOT_FOUND)
    async def rotate_key(stream: str) -> StreamKey:
        return with_key(stream, await services.catalogue.rotate_key(stream))

    return router
