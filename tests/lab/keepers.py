"""A keeper of recordings over any store, without the rest of a server."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from cluster.interface import Cluster
from storage.catalogue import Catalogue
from storage.catalogue.records import Retention
from storage.interface import ObjectStore
from storage.keeping import Keeper, PlayableFor, Recording, Space
from storage.keeping.keeper import Policy
from storage.keeping.recordings import BroadcastName
from storage.keeping.removal import Removed

SPACE = Space(free=40 << 30, capacity=100 << 30)


class Deletions:
    """A :class:`storage.keeping.keeper.KeepingObserver` that remembers."""

    def __init__(self) -> None:
        self.recordings: list[tuple[Recording, Removed]] = []
        self.streams: list[tuple[str, Removed]] = []
        self.keys: list[str] = []

    def recording_deleted(self, recording: Recording, removed: Removed) -> None:
        self.recordings.append((recording, removed))

    def stream_purged(self, stream: str, removed: Removed) -> None:
        self.streams.append((stream, removed))

    def objects_deleted(self, keys: Sequence[str]) -> None:
        self.keys += keys


def make_keeper(
    store: ObjectStore,
    catalogue: Catalogue,
    cluster: Cluster,
    clock: Callable[[], float],
    *,
    retention: Retention | None = None,
    deletions: Deletions | None = None,
    monotonic: Callable[[], float] | None = None,
) -> Keeper:
    """What has a claim in ``cluster`` is in use. Nothing pauses."""

    async def in_use() -> frozenset[BroadcastName]:
        return frozenset(BroadcastName(claim.stream, claim.broadcast) for claim in await cluster.claims())

    @asynccontextmanager
    async def hold(stream: str) -> AsyncIterator[bool]:
        yield await cluster.owner_of(stream) is None

    async def space() -> Space:
        return SPACE

    async def no_pause(seconds: float) -> None:
        pass

    policy = Policy(retention or Retention(), PlayableFor(60.0, 60.0), 3600.0)
    return Keeper(
        store,
        catalogue,
        policy=lambda: policy,
        in_use=in_use,
        hold=hold,
        observer=deletions or Deletions(),
        space=space,
        clock=clock,
        monotonic=monotonic or clock,
        pause=no_pause,
    )
