"""Whether a broadcast is deleted, for viewers who ask for its media while it is being removed."""

import time
from collections.abc import Callable

from storage.cached_lookup import CachedLookup, Freshness
from storage.catalogue import Catalogue
from storage.interface import ObjectNotFound, StorageError
from storage.keeping.recordings import BroadcastName

FRESH_S = 5.0
MAX_CACHED = 4096
# Requests for broadcasts that never existed must not fill the queue of the store's reads.
MAX_LOOKUPS = 16


class DeletedBroadcasts:
    """Reads the catalogue at a rate that does not depend on the number of viewers."""

    def __init__(self, catalogue: Catalogue, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._catalogue = catalogue
        self._answers: CachedLookup[BroadcastName, bool] = CachedLookup(
            self._look_up,
            max_count=MAX_CACHED,
            freshness=Freshness(refresh_s=FRESH_S, max_age_s=FRESH_S),
            missing_s=FRESH_S,
            max_lookups=MAX_LOOKUPS,
            clock=clock,
        )

    async def includes(self, stream: str, broadcast: str) -> bool:
        """False if the store cannot tell. Never fails."""
        try:
            return await self._answers.get(BroadcastName(stream, broadcast))
        except StorageError:
            return False

    async def close(self) -> None:
        await self._answers.close()

    async def _look_up(self, name: BroadcastName) -> bool:
        try:
            return (await self._catalogue.get_broadcast(*name)).deleted_at is not None
        except ObjectNotFound:
            return False
