"""The removal of a recording, or of all of a stream, from the store.

Playlists and manifests go first, so that no player starts on media that is going; then the media, and last the
records, so that an interrupted removal is found and continued.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from media.names import MANIFEST, MASTER_PLAYLIST, broadcast_prefix, stream_prefix
from storage.catalogue.catalogue import broadcast_object, broadcasts_prefix
from storage.catalogue.events import events_object, events_prefix
from storage.interface import ObjectInfo, ObjectNotFound, ObjectStore

BATCH = 250
# Objects a second, in the mean. Uploads of live media need the store and the event loop more.
SPEED = 500.0
TEXTS = (".m3u8", ".mpd")

Hold = Callable[[str], AbstractAsyncContextManager[bool]]
"""While the block runs, the stream cannot go on air here. Its value: whether it is off air."""


@dataclass(slots=True)
class Removed:
    """What a removal has deleted."""

    objects: int = 0
    bytes: int = 0


class Removal:
    """Methods raise StorageError. ``on_deleted`` gets the keys of each batch when they are gone."""

    def __init__(
        self,
        store: ObjectStore,
        *,
        hold: Hold,
        on_deleted: Callable[[Sequence[str]], None],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._hold = hold
        self._on_deleted = on_deleted
        self._pause = pause

    async def remove_broadcast(self, stream: str, broadcast: str) -> Removed:
        removed = Removed()
        async with self._hold(stream) as off_air:
            # On air, the stream's own playlists are those of another broadcast.
            if off_air:
                await self._remove_current(stream, broadcast, removed)
        await self._remove_media(f"{broadcast_prefix(stream, broadcast)}/", removed)
        await self._store.delete(events_object(stream, broadcast))
        await self._store.delete(broadcast_object(stream, broadcast))
        return removed

    async def remove_stream(self, stream: str) -> Removed:
        removed = Removed()
        await self._remove_media(f"{stream_prefix(stream)}/", removed)
        await self._remove_all(self._store.list(events_prefix(stream)), Removed())
        await self._remove_all(self._store.list(broadcasts_prefix(stream)), Removed())
        return removed

    async def _remove_current(self, stream: str, broadcast: str, removed: Removed) -> None:
        """Remove the stream's own playlist and manifest if they are those of ``broadcast``."""
        for name in (MASTER_PLAYLIST, MANIFEST):
            key = f"{stream_prefix(stream)}/{name}"
            try:
                stored = await self._store.get(key)
            except ObjectNotFound:
                continue
            if f"{broadcast}/".encode() in stored.body:
                await self._delete([stored.info], removed)

    async def _remove_media(self, prefix: str, removed: Removed) -> None:
        await self._remove_all(_texts(self._store.list(prefix)), removed)
        await self._remove_all(self._store.list(prefix), removed)

    async def _remove_all(self, found: AsyncIterator[ObjectInfo], removed: Removed) -> None:
        batch: list[ObjectInfo] = []
        async for info in found:
            batch.append(info)
            if len(batch) == BATCH:
                await self._delete(batch, removed)
                batch = []
        if batch:
            await self._delete(batch, removed)

    async def _delete(self, batch: Sequence[ObjectInfo], removed: Removed) -> None:
        keys = [info.key for info in batch]
        await self._store.delete_many(keys)
        removed.objects += len(batch)
        removed.bytes += sum(info.size for info in batch)
        self._on_deleted(keys)
        await self._pause(len(batch) / SPEED)


async def _texts(found: AsyncIterator[ObjectInfo]) -> AsyncIterator[ObjectInfo]:
    async for info in found:
        if info.key.endswith(TEXTS):
            yield info
