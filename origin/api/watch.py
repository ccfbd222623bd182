"""The public status of a stream for the watch page: whether it is live, and the paths of its media."""

from dataclasses import dataclass

from fastapi import APIRouter, Response

from live.status import StreamState
from origin.api.cmcd import PATH
from origin.api.known_problems import OF_OWNERS, STREAM_NOT_FOUND, responses
from origin.api.live import live_status
from origin.api.models import WatchStatus, dash_path, hls_path
from origin.api.parameters import StreamName
from origin.api.services import ApiServices
from storage.cached_lookup import CachedLookup, Freshness
from storage.catalogue import StreamNotFound
from storage.interface import StorageError
from storage.timely import within

# Every waiting viewer polls every few seconds, so caches may answer, and reads from the store are cached.
CACHING = "public, max-age=1"
FRESHNESS = Freshness(refresh_s=2.0, max_age_s=2.0, fallback_s=1.0)
MAX_CACHED = 4096
LONGEST_LIST_S = 3.0
# Requests for streams that do not exist must not fill the queue of the store's reads.
MAX_LOOKUPS = 64


@dataclass(slots=True)
class StoredStatus:
    """The stored part of the answer. ``newest`` is the stream's newest broadcast, None before the first."""

    title: str
    private: bool
    newest: str | None


class WatchStatuses:
    """Reads the store at a rate that does not depend on the number of waiting viewers."""

    def __init__(self, services: ApiServices) -> None:
        self._services = services
        self._prefix = services.path_prefix
        self._streams: CachedLookup[str, StoredStatus | None] = CachedLookup(
            self._read,
            max_count=MAX_CACHED,
            freshness=FRESHNESS,
            max_lookups=MAX_LOOKUPS,
            clock=services.monotonic,
        )

    async def get(self, stream: str) -> WatchStatus:
        """Raises StreamNotFound, OwnerFailed, OwnerTimeout, ClusterUnavailable, StorageError."""
        stored = await self._stored(stream)
        if stored is None:
            raise StreamNotFound(f"there is no stream {stream[:80]}")
        live = await live_status(self._services, stream)
        if live is None or live.broadcast is None:
            playable = broadcast = stored.newest
        else:
            broadcast = live.broadcast
            playable = broadcast if live.renditions else None
            # Right after this broadcast ends, the cached value may be older than the broadcast.
            stored.newest = max(broadcast, stored.newest or "")
        return WatchStatus(
            stream=stream,
            title=stored.title,
            private=stored.private,
            state=StreamState.IDLE if live is None else live.state,
            broadcast=broadcast,
            hls=playable and self._prefix + hls_path(stream, playable),
            dash=playable and self._prefix + dash_path(stream, playable),
            reports=self._prefix + PATH if self._services.reports.enabled else None,
        )

    async def _stored(self, stream: str) -> StoredStatus | None:
        """None if the stream does not exist. Raises StorageError."""
        try:
            return await self._streams.get(stream)
        except StorageError:
            # A broadcast on air must be found without the store.
            settings = (await self._services.catalogue.find_stream(stream)).settings
            return StoredStatus(settings.title, settings.private, None)

    async def _read(self, stream: str) -> StoredStatus | None:
        try:
            record = await self._services.catalogue.find_stream(stream)
        except StreamNotFound:
            return None
        newest = await within(LONGEST_LIST_S, self._services.catalogue.list_broadcasts(stream, limit=1))
        settings = record.settings
        return StoredStatus(settings.title, settings.private, newest[0].broadcast if newest else None)


def watch_router(services: ApiServices) -> APIRouter:
    router = APIRouter(tags=["watch"])
    statuses = WatchStatuses(services)

    @router.get(
        "/watch/{stream}",
        summary="Whether a stream is live, and where its media is",
        description="Needs no token. The paths name the current broadcast, or else the last one.",
        responses=responses(STREAM_NOT_FOUND, *OF_OWNERS),
    )
    async def get_watch_status(stream: StreamName, response: Response) -> WatchStatus:
        response.headers["Cache-Control"] = CACHING
        return await statuses.get(stream)

    return router
