"""The parts that keeping recordings needs of the server: what is in use, and who learns of deletions."""

import asyncio
import shutil
from collections.abc import Callable, Mapping, Sequence

from cluster.interface import Cluster
from storage.audit import AuditLog, new_entry
from storage.journals import Journals
from storage.keeping import Cause, Recording, Space
from storage.keeping.recordings import BroadcastName
from storage.keeping.removal import Removed
from storage.location import DirectoryLocation, StoreLocation
from storage.spool import Spool
from telemetry.metrics import Metrics


async def broadcasts_in_use(cluster: Cluster, journals: Journals, spool: Spool) -> frozenset[BroadcastName]:
    """Those on air or waiting for their publisher, and those that the store has not completely. Raises
    ClusterUnavailable, StorageError."""
    claimed = {BroadcastName(claim.stream, claim.broadcast) for claim in await cluster.claims()}
    journalled = {BroadcastName(*name) for name in await journals.names()}
    # live/{stream}/{broadcast}/{track}/…
    spooled_keys = spool.keys()
    spooled = {BroadcastName(*key.split("/")[1:3]) for key in spooled_keys if key.count("/") >= 3}
    return frozenset(claimed | journalled | spooled)


async def space_of(location: StoreLocation) -> Space | None:
    """None for a bucket, and for a directory whose disk cannot be asked."""
    if not isinstance(location, DirectoryLocation):
        return None
    try:
        usage = await asyncio.to_thread(shutil.disk_usage, location.path)
    except OSError:
        return None
    return Space(free=usage.free, capacity=usage.total)


class Deletions:
    """A :class:`storage.keeping.keeper.KeepingObserver`. ``forget`` gets the keys of deleted objects."""

    def __init__(
        self,
        audit: AuditLog,
        metrics: Metrics,
        clock: Callable[[], float],
        forget: Callable[[Sequence[str]], None],
    ) -> None:
        self._audit = audit
        self._metrics = metrics
        self._clock = clock
        self._forget = forget

    def recording_deleted(self, recording: Recording, removed: Removed) -> None:
        cause = recording.deleted_for or Cause.REQUEST.value
        self._metrics.recording_deleted(cause, removed.objects, removed.bytes)
        self._note(
            "broadcast-deleted", recording.stream, removed, {"broadcast": recording.broadcast, "cause": cause}
        )

    def stream_purged(self, stream: str, removed: Removed) -> None:
        self._metrics.recording_deleted(Cause.PURGE.value, removed.objects, removed.bytes)
        self._note("stream-purged", stream, removed, {})

    def objects_deleted(self, keys: Sequence[str]) -> None:
        self._forget(keys)

    def _note(self, action: str, stream: str, removed: Removed, details: Mapping[str, str]) -> None:
        counts = {"objects": removed.objects, "bytes": removed.bytes}
        self._audit.record(new_entry(action, at=self._clock(), stream=stream, details={**details, **counts}))
